#include "warehouse/storage/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "runtime/sha256.hpp"
#include "warehouse/storage/folder_file.hpp"

namespace segue::warehouse {
namespace {

constexpr std::uint64_t kPiece = 1 << 20;

}  // namespace

std::string sha256_text(std::string_view digest) {
  std::string digits;
  for (const char octet : digest)
    fmt::format_to(std::back_inserter(digits), "{:02x}", static_cast<unsigned char>(octet));
  return digits;
}

std::string sha256_of(std::string_view bytes) {
  runtime::Sha256 hash;
  hash.add(bytes);
  return sha256_text(hash.end());
}

std::string sha256_of(const std::filesystem::path& file, std::uint64_t offset,
                      std::uint64_t bytes) {
  const FolderFile open = FolderFile::existing(file);
  runtime::Sha256 hash;
  std::vector<char> piece(std::min(kPiece, bytes));
  while (bytes > 0) {
    const std::span part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), bytes));
    open.read(offset, part);
    hash.add({part.data(), part.size()});
    offset += part.size();
    bytes -= part.size();
  }
  return sha256_text(hash.end());
}

}  // namespace segue::warehouse
