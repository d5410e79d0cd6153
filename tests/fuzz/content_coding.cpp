#include "recorder/redaction/content_coding.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

// Any bytes under any coding: an answer within the limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 6> kLists{"gzip", "deflate",    "br",
                                                   "zstd", "gzip, gzip", "zstd,identity, br"};
  if (size == 0) return 0;
  const std::string_view coded(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::array<std::string_view, 1> pieces{coded};
  std::string out;
  segue::recorder::undo_codings(kLists[data[0] % kLists.size()], pieces, out);
  if (out.size() > segue::recorder::kMostDecodedBytes) __builtin_trap();
  return 0;
}
