#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "tests/support/certificate.hpp"
#include "tests/support/gateway_process.hpp"

namespace segue::test {

inline std::string certificate_entry(std::string_view certificate, std::string_view key) {
  return fmt::format("{{ cert: {}, key: {{ file: {} }} }}", certificate, key);
}
inline std::string certificate_entry(const Certificate& certificate) {
  return certificate_entry(certificate.certificate_file(), certificate.key_file());
}

// Every request to `backend`, by a listener with TLS. `certificates`: entries, with commas; `more`:
// further keys of `tls`, each behind a comma.
inline ConfigText tls_to(std::uint16_t backend, std::string_view certificates,
                         std::string_view more = {}) {
  auto config = all_to(backend);
  config.listener(fmt::format("tls: {{ certificates: [{}]{} }}", certificates, more));
  return config;
}

}  // namespace segue::test
