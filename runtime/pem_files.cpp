#include "runtime/pem_files.hpp"

#include <openssl/crypto.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "runtime/sha256.hpp"

namespace segue::runtime {
namespace {

// The system's store of authorities is a quarter of this; what is larger is another kind of file.
constexpr std::uintmax_t kLargestFile = 4 << 20;  // bytes

}  // namespace

PemFiles::PemFiles(const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (!path.empty()) files_.try_emplace(path, read(path));
  Sha256 hash;
  for (const auto& [path, file] : files_) {
    const std::string head = path + '\0' + file.trouble + '\0' + std::to_string(file.text.size());
    hash.add({head.c_str(), head.size() + 1});
    hash.add(file.text);
  }
  fingerprint_ = hash.end();
}

PemFiles::~PemFiles() {
  for (auto& [path, file] : files_) OPENSSL_cleanse(file.text.data(), file.text.size());
}

PemFiles::File PemFiles::read(const std::string& path) {
  std::error_code ec;
  const std::uintmax_t size = std::filesystem::file_size(path, ec);
  if (ec) return {{}, ec.message()};
  if (size > kLargestFile) return {{}, "it is larger than 4 MiB"};
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, std::strerror(errno)};
  File read;
  read.text.resize(size);
  file.read(read.text.data(), static_cast<std::streamsize>(size));
  read.text.resize(static_cast<std::size_t>(file.gcount()));
  return read;
}

std::string_view PemFiles::text(std::string_view what, const std::string& path) const {
  const auto found = files_.find(path);
  ensure(found != files_.end(), "a file is read before it is used");
  if (!found->second.trouble.empty())
    throw StartupError("cannot use " + std::string(what) + " '" + path +
                       "': " + found->second.trouble +
                       "; check that the file exists and that Segue's user may read it");
  return found->second.text;
}

}  // namespace segue::runtime
