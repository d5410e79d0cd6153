#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/pem_files.hpp"

// Certificates and keys, from PEM. Everything here throws StartupError for a file that cannot be
// used: one line with the file, the reason, and what to do.
namespace segue::runtime {

struct PemDeleter {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(STACK_OF(X509) * chain) const noexcept;
};
using X509Ptr = std::unique_ptr<X509, PemDeleter>;
using KeyPtr = std::unique_ptr<EVP_PKEY, PemDeleter>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), PemDeleter>;

// What one side shows of itself: a certificate, what leads to its authority, and its key, which
// belongs to it.
struct Identity {
  X509Ptr certificate;
  ChainPtr chain;
  KeyPtr key;
  std::string file;                // of the certificate
  std::vector<std::string> names;  // DNS names of its subjectAltName, comparable
  std::int64_t not_after = 0;      // Unix seconds
};

Identity parse_identity(const PemFiles& files, const std::string& certificate_file,
                        const std::string& key_file);

// A DNS name as names are compared: in lower case, without a dot at its end.
std::string comparable_name(std::string_view name);

// All certificates of a file of authorities; at least one.
std::vector<X509Ptr> parse_authorities(const PemFiles& files, const std::string& file);

}  // namespace segue::runtime
