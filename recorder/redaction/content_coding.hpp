#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace segue::recorder {

// How undoing content codings went.
enum class Decoding : std::uint8_t {
  done,
  unknown,   // a coding that is not among gzip, x-gzip, deflate, br, zstd, identity
  too_long,  // over kMostDecodedBytes or kMostRatio
  damaged,   // or not whole
};

inline constexpr std::size_t kMostDecodedBytes = 8 << 20;
inline constexpr std::size_t kMostRatio = 100;       // of decoded to coded bytes ...
inline constexpr std::size_t kFreeBytes = 64 << 10;  // ... once there are more than these
inline constexpr std::size_t kMostCodings = 4;       // one within the other

// Undoes the codings that Content-Encoding lists (RFC 9110, 8.4), the last one first. `coded` is
// the body in pieces; `out` is replaced. Memory is bounded by the limits above.
Decoding undo_codings(std::string_view content_encoding, std::span<const std::string_view> coded,
                      std::string& out);

// Whether the list names any coding but identity.
bool has_coding(std::string_view content_encoding);

}  // namespace segue::recorder
