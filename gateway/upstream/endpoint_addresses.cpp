#include "gateway/upstream/endpoint_addresses.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace segue::gateway {
namespace {

using boost::asio::ip::tcp;
using runtime::MonotonicNs;

}  // namespace

std::string name_of(const EndpointSettings& endpoint) {
  if (!endpoint.socket_path.empty()) return "unix:" + endpoint.socket_path;
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

EndpointAddresses::EndpointAddresses(const EndpointSettings& endpoint, const ResolvedName* name)
    : name_(name), port_(endpoint.port) {
  if (name != nullptr) return;
  if (!endpoint.socket_path.empty()) {
    places_.push_back({boost::asio::local::stream_protocol::endpoint(endpoint.socket_path)});
  } else if (const auto address = literal_address(endpoint.host)) {
    places_.push_back({tcp::endpoint(*address, port_)});
  }
}

void EndpointAddresses::renew() {
  const ResolvedName::Addresses now = name_->addresses();
  std::vector<Place> places;
  for (const auto& address : now.list) {
    Place& place = places.emplace_back(Place{tcp::endpoint(address, port_)});
    const auto before = std::ranges::find(places_, place.address, &Place::address);
    if (before != places_.end()) place.rests_until = before->rests_until;
  }
  places_ = std::move(places);
  version_ = now.version;
}

bool EndpointAddresses::contains(const Address& address) const noexcept {
  return std::ranges::find(places_, address, &Place::address) != places_.end();
}

std::optional<boost::system::error_code> EndpointAddresses::failure() const {
  return name_ == nullptr ? std::nullopt : name_->failure();
}

std::vector<EndpointAddresses::Address> EndpointAddresses::in_turn(MonotonicNs now) {
  std::vector<Address> addresses;
  for (const bool resting : {false, true})
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Place& place = places_[(turn_ + i) % places_.size()];
      if ((now < place.rests_until) == resting) addresses.push_back(place.address);
    }
  ++turn_;
  return addresses;
}

void EndpointAddresses::failed(const Address& address, MonotonicNs now) noexcept {
  const auto place = std::ranges::find(places_, address, &Place::address);
  if (place != places_.end()) place->rests_until = runtime::after(now, kRest);
}

}  // namespace segue::gateway
