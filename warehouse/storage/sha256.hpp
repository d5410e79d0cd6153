#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace segue::warehouse {

// SHA-256 of what is added, in order (FIPS 180-4). One thread.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string text();  // 64 hexadecimal digits; once, at the end

 private:
  struct End {
    void operator()(EVP_MD_CTX* context) const noexcept;
  };
  std::unique_ptr<EVP_MD_CTX, End> context_;
};

std::string sha256_of(std::string_view bytes);
// Of a range of a file. Throws StorageError when it cannot be read, or ends before.
std::string sha256_of(const std::filesystem::path& file, std::uint64_t offset,
                      std::uint64_t bytes);

}  // namespace segue::warehouse
