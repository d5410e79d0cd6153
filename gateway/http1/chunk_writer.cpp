#include "gateway/http1/chunk_writer.hpp"

#include <cstdio>

namespace segue::gateway::http1 {

std::span<iovec> ChunkWriter::frame(std::vector<iovec>& pieces, std::uint64_t content,
                                    std::optional<std::string_view> trailers) {
  static constexpr std::string_view kEnd = "\r\n";
  static constexpr std::string_view kLast = "\r\n0\r\n\r\n";
  const auto add = [&pieces](std::string_view text) {
    if (!text.empty()) pieces.push_back({const_cast<char*>(text.data()), text.size()});
  };
  std::string_view end = trailers ? kLast : kEnd;
  if (content == 0) end.remove_prefix(kEnd.size());
  if (trailers && !trailers->empty()) {
    end.remove_suffix(kEnd.size());
    add(end);
    add(*trailers);
    end = kEnd;
  }
  add(end);
  if (content == 0) return std::span<iovec>(pieces).subspan(1);
  const int size = std::snprintf(size_line_, sizeof size_line_, "%llx\r\n",
                                 static_cast<unsigned long long>(content));
  pieces[0] = {size_line_, static_cast<std::size_t>(size)};
  return pieces;
}

}  // namespace segue::gateway::http1
