#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace segue::gateway::http1 {

// Frames content as chunks (RFC 9112, 7.1), in the list of pieces that it is sent from. One serves
// one body after the other; what it adds is valid until the next frame().
class ChunkWriter {
 public:
  // `pieces` holds a free place and then `content` bytes, perhaps none; pieces are added behind
  // them. `trailers`: this is the end of the body, and what stands behind it ("Name: value\r\n"
  // each, perhaps nothing); it is viewed. Returns what is to be sent, empty when that is nothing.
  std::span<iovec> frame(std::vector<iovec>& pieces, std::uint64_t content,
                         std::optional<std::string_view> trailers);

 private:
  char size_line_[24];
};

}  // namespace segue::gateway::http1
