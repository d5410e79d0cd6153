#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/settings.hpp"

namespace segue::gateway {

// A PROXY protocol header, whole, is refused when it is longer: version 1 by the specification,
// version 2 (whose length field allows 64 KiB) by us, its TLVs included.
inline constexpr std::size_t kMaxProxyLine = 107;
inline constexpr std::size_t kMaxProxyHeader = 4096;

// The header in which a load balancer says whom it connects on behalf of (HAProxy's
// proxy-protocol.txt, versions 1 and 2), read strictly from the first bytes of a connection.
struct ProxyHeader {
  enum class State : std::uint8_t { need_more, done, refused };
  // Who speaks behind the header.
  enum class Speaker : std::uint8_t {
    sender,   // LOCAL: the load balancer itself, a health check
    unknown,  // UNKNOWN, UNSPEC, a Unix socket on another machine: a client without an address
    client,   // at `source`
  };
  using Address = boost::asio::ip::tcp::endpoint;

  State state = State::need_more;
  Speaker speaker = Speaker::unknown;
  std::size_t bytes = 0;  // of the header, when done
  Address source;         // of a client: its own address, and the one that it connected to
  Address destination;
  const char* reason = nullptr;  // when refused: static text, the label of a metric
};

// `bytes`: everything that has come so far. The answer depends on the bytes of the header alone,
// and damage is found as soon as it is there: more bytes never change an answer that is not
// need_more. TLVs are checked for their form and skipped; a CRC32C among them must be right.
ProxyHeader read_proxy_header(std::string_view bytes, ProxyProtocol accepted);

}  // namespace segue::gateway
