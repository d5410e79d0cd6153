#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core_tls.hpp"
#include "gateway/worker.hpp"
#include "runtime/clock.hpp"
#include "runtime/pem_files.hpp"
#include "runtime/tls_tickets.hpp"

namespace segue::gateway {

// How often the files are looked at for changes. A ConfigMap, a certbot hook and a person replace
// them in different ways: contents are compared, not times.
inline constexpr std::chrono::milliseconds kCredentialsLook{5'000};

// The certificates, keys and authorities of all listeners and backends with TLS, read from files
// that may be replaced while the gateway runs. Used by the main thread; status() by any thread.
//
// A listener or a backend is renewed whole or not at all: as long as what lies in its files cannot
// be used, it goes on with what it has, and says so once for each new content.
class Credentials {
 public:
  // Reads and checks all of it. `settings` must outlive it. Throws StartupError that names the key
  // and the file: "listeners.public.tls: cannot use ...".
  explicit Credentials(const GatewaySettings& settings);

  // Everything, for one core.
  CoreTls make() const;

  enum class When : std::uint8_t { changed, always };
  // Reads the files again and uses what has changed; `always`: also what has not, and what was
  // refused before. Session tickets are sealed with a new key when it is time. One line for a
  // person for everything that became of it.
  std::vector<std::string> renew(When when);
  // What the last renew() renewed, for one core; nullopt: nothing.
  std::optional<CoreTls> make_renewed() const;
  // What renew() did has reached every core: status() may say so.
  void publish();

  // Certificates that are shown and have expired, a line for each.
  std::vector<std::string> warnings() const;

  struct Status {
    struct Certificate {
      const char* label;  // "listener" or "backend"
      std::string owner;  // its name
      runtime::CertificateInfo info;
    };
    std::vector<Certificate> certificates;
    std::uint64_t renewals = 0;  // of one listener or backend
    std::uint64_t failures = 0;
  };
  Status status() const;

 private:
  // One listener or one backend.
  struct Side {
    const char* label;
    std::string owner;
    const runtime::TlsServerSettings* server = nullptr;  // a listener's
    const runtime::TlsClientSettings* client = nullptr;  // a backend's
    std::size_t index = 0;                               // of the listener or backend
    std::unique_ptr<const runtime::PemFiles> files = nullptr;
    std::vector<runtime::CertificateInfo> certificates = {};
    std::string refused = {};  // fingerprint of what could not be used
    bool renewed = false;      // by the last renew()

    std::string key() const;
    std::vector<std::string> file_names() const;
  };
  enum class Which : std::uint8_t { all, renewed };

  void load(Side& side) const;
  void renew(Side& side, When when, std::vector<std::string>& news);
  void rotate_tickets();
  runtime::TlsContext make_one(const Side& side, const runtime::PemFiles& files) const;
  CoreTls make(Which which) const;
  static void add_warnings(const Side& side, std::vector<std::string>& lines);

  const GatewaySettings& settings_;
  std::vector<runtime::TicketKeys> tickets_;  // by listener
  runtime::MonotonicNs rotate_at_;
  std::vector<Side> sides_;
  std::uint64_t renewals_ = 0;
  std::uint64_t failures_ = 0;
  mutable std::mutex mutex_;  // of status_
  Status status_;
};

}  // namespace segue::gateway
