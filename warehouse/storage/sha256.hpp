#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace segue::warehouse {

// SHA-256 as the books of an archive and requests to S3 have it: 64 hexadecimal digits.
std::string sha256_of(std::string_view bytes);
// Of a range of a file. Throws StorageError when it cannot be read, or ends before.
std::string sha256_of(const std::filesystem::path& file, std::uint64_t offset,
                      std::uint64_t bytes);
// Of a digest that was made in pieces (runtime/sha256.hpp).
std::string sha256_text(std::string_view digest);

}  // namespace segue::warehouse
