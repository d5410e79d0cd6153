#include "warehouse/storage/sha256.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <new>
#include <system_error>
#include <vector>

#include "runtime/owned_descriptor.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {
namespace {

constexpr std::uint64_t kPiece = 1 << 20;

}  // namespace

void Sha256::End::operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::text() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
  std::string digits;
  for (unsigned i = 0; i < length; ++i)
    fmt::format_to(std::back_inserter(digits), "{:02x}", digest[i]);
  return digits;
}

std::string sha256_of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.text();
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
  Sha256 hash;
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
  return hash.text();
}

}  // namespace segue::warehouse
