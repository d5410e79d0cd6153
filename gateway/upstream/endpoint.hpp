#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gateway/settings.hpp"
#include "gateway/upstream/endpoint_addresses.hpp"
#include "gateway/upstream/endpoint_health.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stream.hpp"

namespace segue::gateway {

struct UpstreamConnection;

// One server of a backend, as one core knows it. A request holds a connection from the moment when
// it gets one, or begins to open one, until it gives it back: under_way() counts both.
struct Endpoint {
  // `facts` and `resolved`, null where there is no name, outlive it.
  Endpoint(const EndpointSettings& settings, EndpointHealth& facts, const ResolvedName* resolved);
  ~Endpoint();

  std::size_t under_way() const noexcept { return open - idle.size() + reserved; }

  std::string name;  // as configured: "host:port", "unix:/path"
  EndpointHealth& health;
  EndpointAddresses addresses;
  std::vector<std::unique_ptr<UpstreamConnection>> idle;  // last in, first out
  std::size_t open = 0;                                   // connecting, leased and idle
  std::size_t reserved = 0;  // for requests that waited, were woken, and are not there yet
};

// One connection to an endpoint, with what was received on it.
struct UpstreamConnection {
  UpstreamConnection(runtime::Core& core, runtime::BufferPool& pool, Endpoint& to)
      : stream(core), buffer(pool), endpoint(to) {}
  runtime::Stream stream;
  runtime::Buffer buffer;
  Endpoint& endpoint;
  bool reused = false;  // has served an exchange before
  EndpointHealth::Admission admitted = EndpointHealth::Admission::ordinary;  // of this exchange
  EndpointAddresses::Address peer;
  std::uint64_t known_since = 0;  // EndpointAddresses::version() that had the peer
  runtime::MonotonicNs idle_since = 0;
  std::chrono::milliseconds idle_time{0};  // how long it may idle: ours or the server's
  runtime::MonotonicNs connected_at = 0;
  runtime::MonotonicNs tls_at = 0;  // handshake done; 0: plain
};

}  // namespace segue::gateway
