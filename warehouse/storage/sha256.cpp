#include "warehouse/storage/sha256.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <vector>

#include "runtime/owned_descriptor.hpp"
#include "runtime/sha256.hpp"
#include "warehouse/storage/object_store.hpp"

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
  const auto fail = [&](int number) {
    throw StorageError(fmt::format("{}: cannot read the file: {}", file.string(),
                                   number == 0 ? "it became shorter"
                                               : std::generic_category().message(number)));
  };
  const runtime::OwnedDescriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!open) fail(errno);
  runtime::Sha256 hash;
  std::vector<char> piece(std::min(kPiece, bytes));
  while (bytes > 0) {
    const std::size_t most = std::min<std::uint64_t>(piece.size(), bytes);
    const ssize_t got = ::pread(open.get(), piece.data(), most, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(got < 0 ? errno : 0);
    hash.add({piece.data(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::uint64_t>(got);
  }
  return sha256_text(hash.end());
}

}  // namespace segue::warehouse
