#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/credentials.hpp"
#include "gateway/listening/descriptor_room.hpp"
#include "gateway/listening/listener.hpp"
#include "gateway/listening/listening_sockets.hpp"
#include "gateway/worker.hpp"
#include "runtime/core.hpp"

namespace segue::gateway {

// The data plane: cores, their workers, their listeners. Made and destroyed by the main thread.
//
// Life: constructed (nothing is accepted), start(), drain() and close(), or leave(), and then
// abort() until running() is 0, destroyed. What the recorders write to and the sockets that it
// accepts from must outlive it.
class Gateway {
 public:
  // One core for each of `parts`; `sockets` are of the listeners in `settings`. Throws StartupError:
  // a certificate that cannot be read.
  Gateway(GatewaySettings settings, std::vector<CoreParts> parts, ListeningSockets& sockets);
  ~Gateway();

  enum class Pinning : std::uint8_t { off, on };
  void start(Pinning pinning);

  // From here on answers say Connection: close; requests are still taken.
  void drain();
  // No more connections are accepted but those that are queued, and the listening sockets are
  // closed; idle connections are closed, running exchanges go on.
  void close();
  // Another process has left the sockets: what it was told of and did not accept is ours, and those
  // that have begun to listen since start() are accepted from.
  void look_again();
  // Another process accepts from the same sockets, but for those that it does not want: what is
  // queued is taken. Idle connections stay, and answers say Connection: close.
  void leave(ListeningSockets::Files files);
  // After leave(): idle connections are closed.
  void close_idle();
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
  // What a person should know at the start.
  std::vector<std::string> warnings() const;
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
  const std::uint64_t wanted_connections_;
  std::optional<AccessLogFile> access_log_;
  std::vector<std::unique_ptr<TrustedPeers>> trusted_;  // by listener
  std::optional<ClientPlaces> places_;                  // none: no `limits.per_client`
  Credentials credentials_;
  Fleet fleet_;
  ListeningSockets& sockets_;
  std::vector<std::unique_ptr<CoreWorld>> worlds_;
};

}  // namespace segue::gateway
