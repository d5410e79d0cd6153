#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/credentials.hpp"
#include "gateway/listener.hpp"
#include "gateway/worker.hpp"
#include "runtime/core.hpp"

namespace segue::gateway {

// The data plane: cores, their workers, their listeners. Made and destroyed by the main thread.
//
// Life: constructed (everything is bound, nothing accepted), start(), drain() or abort() until
// sessions() is 0, destroyed. What the recorders write to must outlive it.
class Gateway {
 public:
  // One core for each of `parts`. Throws StartupError: an address in use, a certificate that
  // cannot be read.
  Gateway(GatewaySettings settings, std::vector<CoreParts> parts);
  ~Gateway();

  enum class Pinning : std::uint8_t { off, on };
  void start(Pinning pinning);

  // Name and bound address of each public listener.
  const std::vector<std::pair<std::string, std::string>>& addresses() const noexcept {
    return addresses_;
  }

  // From here on answers say Connection: close; requests are still taken.
  void drain();
  // No more connections are accepted; idle ones are closed; running exchanges go on.
  void close();
  // Cuts what is left; sessions end soon after.
  void abort();
  // Tasks that still run, over all cores.
  std::size_t running();

  // Looks for certificates that were replaced, and gives each core what is new: connections from
  // then on are made with it, those that are there go on. One line for a person for everything
  // that became of it.
  std::vector<std::string> renew_credentials(Credentials::When when);
  const Credentials& credentials() const noexcept { return credentials_; }
  const Fleet& fleet() const noexcept { return fleet_; }
  // Lines for a person of what changed since the last call.
  std::vector<std::string> take_notices() { return fleet_.notices.take(); }

  // Each core's counters, copied by the core.
  std::vector<Counters> counters();
  const GatewaySettings& settings() const noexcept { return settings_; }
  // Batches of lines that were dropped because nobody took them; 0 without an access log.
  std::uint64_t dropped_access_batches() const noexcept {
    return access_log_ ? access_log_->dropped_batches() : 0;
  }
  std::span<const routing::Route> routes() const noexcept;
  std::vector<const recorder::Recorder*> recorders() const;

 private:
  struct CoreWorld;

  template <class Call>
  void on_each(Call call);

  GatewaySettings settings_;
  std::optional<AccessLogFile> access_log_;
  std::vector<std::unique_ptr<TrustedPeers>> trusted_;  // by listener
  Credentials credentials_;
  Fleet fleet_;
  std::vector<std::pair<std::string, std::string>> addresses_;
  std::vector<std::unique_ptr<CoreWorld>> worlds_;
};

}  // namespace segue::gateway
