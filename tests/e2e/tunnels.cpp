#include "tests/e2e/tunnels.hpp"

#include <fmt/format.h>

#include "tests/support/recorded.hpp"

namespace segue::test {

ConfigText tunnels_to(std::uint16_t port, std::string_view more) {
  ConfigText config;
  config.with("cores", "{ count: 1 }");
  config.backend("legacy", port);
  config.route("open", fmt::format("{{ match: {{ prefix: /open }}, to: legacy, "
                                   "upgrade: [websocket]{} }}",
                                   more));
  return config;
}

void echo(BackendConnection& connection) {
  if (!connection.request_head()) return;
  connection.send(kAgreement);
  for (;;) {
    const auto bytes = connection.reader().some(1);
    if (bytes.empty()) return;
    connection.send(bytes);
  }
}

TunnelClient::TunnelClient(std::uint16_t port, int receive_buffer)
    : RawClient(port, receive_buffer) {
  send(kHandshake);
  const auto head = reader().head();
  if (!head || head->status() != 101) throw TestFailure("no WebSocket was opened");
}

std::string TunnelClient::ask(std::string_view bytes) {
  send(bytes);
  std::string got;
  while (got.size() < bytes.size()) {
    const auto more = reader().some(1);
    if (more.empty()) break;
    got += more;
  }
  return got;
}

void wait_for_closed_tunnels(const GatewayProcess& gateway) {
  const Deadline deadline;
  while (gateway.metric("segue_backend_tunnels") != 0)
    if (deadline.left() == 0) throw TestFailure("tunnels stay open:\n" + gateway.metrics());
}

boost::json::object ended_tunnel(const GatewayProcess& gateway) {
  gateway.wait_for_metric("segue_backend_tunnels_total", {}, 1);
  wait_for_closed_tunnels(gateway);
  for (auto& exchange : recorded(gateway.journal()))
    if (exchange.if_contains("response") != nullptr && exchange.at("response").is_object() &&
        exchange.at("response").at("status").to_number<int>() == 101)
      return std::move(exchange);
  throw TestFailure("no WebSocket is on record");
}

std::string bytes_of(const boost::json::object& exchange) {
  if (!exchange.contains("finish")) return "none";
  const auto& finish = exchange.at("finish").as_object();
  return fmt::format("{}/{}", finish.at("bytes_from_client").to_number<std::uint64_t>(),
                     finish.at("bytes_to_client").to_number<std::uint64_t>());
}

}  // namespace segue::test
