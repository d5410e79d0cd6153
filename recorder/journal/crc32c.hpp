#pragma once

#include <cstddef>
#include <cstdint>

namespace segue::recorder {

// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes` continued from `crc` (0 to begin). Uses the SSE4.2
// instruction where the processor has it, three streams at a time, else a table; both give the
// same value.
std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t bytes) noexcept;

// The table alone, for processors without the instruction and to test the other against.
std::uint32_t crc32c_table(std::uint32_t crc, const void* data, std::size_t bytes) noexcept;

}  // namespace segue::recorder
