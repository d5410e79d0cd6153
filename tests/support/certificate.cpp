#include "tests/support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

constexpr long kHour = 3600;  // seconds

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certified = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

void add_extension(X509& certificate, int kind, const std::string& value) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  if (!extension || X509_add_ext(&certificate, extension.get(), -1) != 1) {
    throw TestFailure("cannot add an extension: " + value);
  }
}

Certified self_signed(EVP_PKEY& key, const CertificateOrder& order) {
  const std::string& common_name = order.dns_names.front();
  std::string names;
  for (const std::string& name : order.dns_names)
    names += (names.empty() ? "DNS:" : ",DNS:") + name;
  Certified certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3 * kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), order.hours * kHour);
  X509_set_pubkey(certificate.get(), &key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(*certificate, NID_subject_alt_name, names);
  add_extension(*certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (X509_sign(certificate.get(), &key, EVP_sha256()) == 0) {
    throw TestFailure("cannot sign a certificate");
  }
  return certificate;
}

File open_to_write(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"));
  if (!file) fail_with_errno("cannot write " + path);
  return file;
}

}  // namespace

Certificate::Certificate(const std::string& dns_name)
    : Certificate(CertificateOrder{{dns_name}, CertificateOrder::Key::ec, 24}) {}

Certificate::Certificate(const CertificateOrder& order) {
  // A curve that every peer knows: Java servers cannot read Ed25519 keys.
  const Key key(order.key == CertificateOrder::Key::ec
                    ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                    : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  const auto certificate = self_signed(*key, order);
  PEM_write_X509(open_to_write(certificate_file()).get(), certificate.get());
  PEM_write_PrivateKey(open_to_write(key_file()).get(), key.get(), nullptr, nullptr, 0, nullptr,
                       nullptr);
}

}  // namespace segue::test
