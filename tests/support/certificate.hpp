#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace segue::test {

// A fresh self-signed certificate for one DNS name, and its key, as PEM files in a folder of
// their own. It is its own authority.
class Certificate {
 public:
  explicit Certificate(const std::string& dns_name);

  std::string certificate_file() const { return (folder_ / "cert.pem").string(); }
  std::string key_file() const { return (folder_ / "key.pem").string(); }

 private:
  TempDir folder_;
};

}  // namespace segue::test
