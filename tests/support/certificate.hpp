#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace segue::test {

struct CertificateOrder {
  enum class Key { ec, rsa };
  std::vector<std::string> dns_names;  // the first one is the common name, too
  Key key = Key::ec;
  int hours = 24;  // until it expires; it has been valid for three hours
};

// A fresh self-signed certificate and its key, as PEM files in a folder of their own. It is its own
// authority.
class Certificate {
 public:
  explicit Certificate(const CertificateOrder& order);
  explicit Certificate(const std::string& dns_name);

  std::string certificate_file() const { return (folder_ / "cert.pem").string(); }
  std::string key_file() const { return (folder_ / "key.pem").string(); }

 private:
  TempDir folder_;
};

}  // namespace segue::test
