#include "recorder/journal/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace segue::recorder {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected

using ByteTable = std::array<std::uint32_t, 256>;

constexpr ByteTable make_byte_table() {
  ByteTable table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr ByteTable kBytes = make_byte_table();

#if defined(__x86_64__)

// Each of the three streams covers this many bytes, so that a frame of 2 KiB gains from it.
constexpr std::size_t kStream = 256;

using ShiftTable = std::array<ByteTable, 4>;

// Moves a CRC register over kStream zero bytes; linear, so 32 bits give all 4 x 256 entries.
constexpr ShiftTable make_shift_table() {
  std::array<std::uint32_t, 32> moved{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < kStream; ++i) crc = (crc >> 8) ^ kBytes[crc & 0xFF];
    moved[bit] = crc;
  }
  ShiftTable table{};
  for (std::size_t place = 0; place < 4; ++place)
    for (std::size_t byte = 0; byte < 256; ++byte)
      for (std::size_t bit = 0; bit < 8; ++bit)
        if (((byte >> bit) & 1) != 0) table[place][byte] ^= moved[place * 8 + bit];
  return table;
}

constexpr ShiftTable kShift = make_shift_table();

std::uint64_t shifted(std::uint64_t crc) noexcept {
  return kShift[0][crc & 0xFF] ^ kShift[1][(crc >> 8) & 0xFF] ^ kShift[2][(crc >> 16) & 0xFF] ^
         kShift[3][(crc >> 24) & 0xFF];
}

std::uint64_t word_at(const unsigned char* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The instruction takes one word a cycle but answers after three, hence three streams.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::uint32_t crc, const void* data,
                                                             std::size_t bytes) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint64_t first = crc ^ 0xFFFFFFFFU;
  for (; bytes >= 3 * kStream; bytes -= 3 * kStream) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const unsigned char* end = at + kStream; at < end; at += 8) {
      first = _mm_crc32_u64(first, word_at(at));
      second = _mm_crc32_u64(second, word_at(at + kStream));
      third = _mm_crc32_u64(third, word_at(at + 2 * kStream));
    }
    first = shifted(first) ^ second;
    first = shifted(first) ^ third;
    at += 2 * kStream;
  }
  for (; bytes >= 8; bytes -= 8, at += 8) first = _mm_crc32_u64(first, word_at(at));
  auto rest = static_cast<std::uint32_t>(first);
  for (; bytes > 0; --bytes, ++at) rest = _mm_crc32_u8(rest, *at);
  return rest ^ 0xFFFFFFFFU;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

std::uint32_t crc32c_table(std::uint32_t crc, const void* data, std::size_t bytes) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  crc ^= 0xFFFFFFFFU;
  for (; bytes > 0; --bytes, ++at) crc = (crc >> 8) ^ kBytes[(crc ^ *at) & 0xFF];
  return crc ^ 0xFFFFFFFFU;
}

std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t bytes) noexcept {
#if defined(__x86_64__)
  if (kHasInstruction) [[likely]]
    return crc32c_sse42(crc, data, bytes);
#endif
  return crc32c_table(crc, data, bytes);
}

}  // namespace segue::recorder
