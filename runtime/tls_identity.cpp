#include "runtime/tls_identity.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"

namespace segue::runtime {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

[[noreturn]] void refuse(std::string_view what, const std::string& file, const std::string& reason,
                         const std::string& advice) {
  ERR_clear_error();
  throw StartupError("cannot use " + std::string(what) + " '" + file + "': " + reason + "; " +
                     advice);
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "it cannot be read" : reason;
}

BioPtr open(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ensure(bio != nullptr, "OpenSSL reads from memory");
  return bio;
}

// Nobody is there to type a password: notes that one was asked for.
int note_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// The next certificate; null at the end of the text.
X509Ptr next_certificate(BIO* bio, const std::string& file, std::string_view what,
                         std::size_t number) {
  X509Ptr certificate(PEM_read_bio_X509_AUX(bio, nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  const unsigned long error = ERR_peek_last_error();
  const bool end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!end)
    refuse(what, file,
           "certificate " + std::to_string(number) + " in it is damaged: " + last_reason(),
           "write the file anew");
  ERR_clear_error();
  return nullptr;
}

void read_chain(std::string_view text, Identity& identity) {
  const BioPtr bio = open(text);
  identity.certificate = next_certificate(bio.get(), identity.file, "certificate", 1);
  if (identity.certificate == nullptr)
    refuse("certificate", identity.file, "there is no certificate in it",
           "it must be PEM: the certificate, then its chain");
  identity.chain.reset(sk_X509_new_null());
  ensure(identity.chain != nullptr, "OpenSSL gives a stack");
  std::size_t number = 2;
  while (X509Ptr next = next_certificate(bio.get(), identity.file, "certificate", number++))
    sk_X509_push(identity.chain.get(), next.release());
}

KeyPtr read_key(std::string_view text, const std::string& file) {
  const BioPtr bio = open(text);
  bool encrypted = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, note_password, &encrypted));
  if (key != nullptr) return key;
  if (encrypted)
    refuse("key", file, "it is encrypted, and nobody is there to type its password",
           "write it without one ('openssl pkey -in KEY -out NEW') and let only Segue read it");
  if (text.find("-----BEGIN") == std::string_view::npos)
    refuse("key", file, "there is no key in it", "it must be PEM: the key of the certificate");
  refuse("key", file, last_reason(), "it must be PEM: the key of the certificate");
}

// RFC 5280, 4.2.1.6. A name with a NUL in it is a trick, and is left out.
std::vector<std::string> names_of(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, NamesDeleter> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  const int count = all == nullptr ? 0 : sk_GENERAL_NAME_num(all.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* const dns = name->d.dNSName;
    const std::string text =
        comparable_name({reinterpret_cast<const char*>(ASN1_STRING_get0_data(dns)),
                         static_cast<std::size_t>(ASN1_STRING_length(dns))});
    if (!text.empty() && text.find('\0') == std::string::npos) names.push_back(text);
  }
  return names;
}

std::int64_t end_of(const X509& certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return 0;
  return timegm(&time);
}

}  // namespace

std::string comparable_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

void PemDeleter::operator()(STACK_OF(X509) * chain) const noexcept {
  sk_X509_pop_free(chain, X509_free);
}

Identity parse_identity(const PemFiles& files, const std::string& certificate_file,
                        const std::string& key_file) {
  Identity identity;
  identity.file = certificate_file;
  read_chain(files.text("certificate", certificate_file), identity);
  identity.key = read_key(files.text("key", key_file), key_file);
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1)
    refuse("key", key_file, "it does not belong to the certificate '" + certificate_file + "'",
           "give the key that the certificate was made with");
  identity.names = names_of(*identity.certificate);
  identity.not_after = end_of(*identity.certificate);
  ERR_clear_error();
  return identity;
}

std::vector<X509Ptr> parse_authorities(const PemFiles& files, const std::string& file) {
  const BioPtr bio = open(files.text("CA file", file));
  std::vector<X509Ptr> all;
  while (X509Ptr next = next_certificate(bio.get(), file, "CA file", all.size() + 1))
    all.push_back(std::move(next));
  if (all.empty())
    refuse("CA file", file, "there is no certificate in it",
           "it must be PEM: the certificates of the authorities");
  return all;
}

}  // namespace segue::runtime
