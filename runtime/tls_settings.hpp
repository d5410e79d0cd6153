#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What TLS is made from. Files are PEM.
namespace segue::runtime {

struct TlsIdentityFiles {
  std::string certificate_file;  // the certificate, then its chain
  std::string key_file;
};

enum class ClientCertificates : std::uint8_t {
  none,      // not asked for
  optional,  // asked for; one that is shown must be valid
  required,
};

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

// The side that accepts.
struct TlsServerSettings {
  // At least one. The first one is shown to whoever asks for a name that none of them has, or for
  // no name.
  std::vector<TlsIdentityFiles> certificates;
  ClientCertificates client_certificates = ClientCertificates::none;
  std::string client_ca_file;  // who may have signed clients' certificates
  TlsVersion min_version = TlsVersion::v1_2;
};

// The side that connects.
struct TlsClientSettings {
  std::string ca_file;           // empty: the system's store
  std::string certificate_file;  // with key_file: what is shown to the peer; empty: nothing
  std::string key_file;
  std::string server_name;  // SNI and the name that is verified
};

}  // namespace segue::runtime
