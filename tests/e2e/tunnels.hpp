#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

// WebSockets in raw bytes: what a client says to open one, and a backend that agrees.
namespace segue::test {

inline constexpr std::string_view kHandshake =
    "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
inline constexpr std::string_view kAgreement =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// Everything below /open to `port`, WebSockets too; `more`: further keys of the route, each behind
// a comma.
ConfigText tunnels_to(std::uint16_t port, std::string_view more = {});

// Reads a request's head, agrees to what it asks for, and sends back what comes until the end.
void echo(BackendConnection& connection);

// An open WebSocket: the handshake was sent, and the 101 read.
class TunnelClient : public RawClient {
 public:
  explicit TunnelClient(std::uint16_t port, int receive_buffer = 0);
  // Sends bytes and reads as many.
  std::string ask(std::string_view bytes);
};

// The exchange with status 101 of a gateway that has recorded the end of its tunnel.
boost::json::object ended_tunnel(const GatewayProcess& gateway);

// {"bytes_from_client":..., "bytes_to_client":...} of it as "FROM/TO".
std::string bytes_of(const boost::json::object& exchange);

void wait_for_closed_tunnels(const GatewayProcess& gateway);

}  // namespace segue::test
