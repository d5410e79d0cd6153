#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/settings.hpp"
#include "gateway/upstream/name_resolver.hpp"
#include "runtime/clock.hpp"
#include "runtime/stream.hpp"

namespace segue::gateway {

// "host:port", "[::1]:80" or "unix:/path": how an endpoint is called in records and metrics.
std::string name_of(const EndpointSettings& endpoint);

// Where an endpoint can be reached, as one core knows it: a socket, an address, or what a name
// stands for. One thread.
class EndpointAddresses {
 public:
  using Address = runtime::Stream::Address;

  // An address that took no connection comes last for this long.
  static constexpr std::chrono::milliseconds kRest{5'000};

  // `name` null: the settings say it all.
  EndpointAddresses(const EndpointSettings& endpoint, const ResolvedName* name);

  // Whether the name stands for others by now; one load.
  bool outdated() const noexcept { return name_ != nullptr && name_->version() != version_; }
  // Takes them over.
  void renew();
  std::uint64_t version() const noexcept { return version_; }

  bool empty() const noexcept { return places_.empty(); }
  bool contains(const Address& address) const noexcept;
  // Why there is none; nothing as long as the first answer is awaited.
  std::optional<boost::system::error_code> failure() const;

  // All of them, each time beginning with the next one.
  std::vector<Address> in_turn(runtime::MonotonicNs now);
  void failed(const Address& address, runtime::MonotonicNs now) noexcept;

 private:
  struct Place {
    Address address;
    runtime::MonotonicNs rests_until = 0;
  };

  const ResolvedName* name_;
  std::uint16_t port_;
  std::uint64_t version_ = 0;
  std::vector<Place> places_;
  std::size_t turn_ = 0;
};

}  // namespace segue::gateway
