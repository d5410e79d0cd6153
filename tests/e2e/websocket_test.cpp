// WebSockets of real programs through the gateway: the npm package ws on both sides, and a browser.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/e2e/tunnels.hpp"
#include "tests/support/browser.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/web_socket_server.hpp"

namespace segue::test {
namespace {

namespace json = boost::json;

constexpr std::size_t kChecks = 11;

void check_all(const json::object& checks) {
  CHECK(checks.size() == kChecks);
  for (const auto& [name, result] : checks) {
    INFO(name << ": " << json::serialize(result));
    CHECK(result == json::value(true));
  }
}

TEST_CASE("a client and a server of ws find nothing between them") {
  const WebSocketServer server;
  auto config = tunnels_to(server.port());
  config.with("cores", "{ count: 2 }");
  GatewayProcess gateway(config);
  check_all(web_socket_checks(fmt::format("ws://127.0.0.1:{}/open", gateway.port())));
  wait_for_closed_tunnels(gateway);
  std::size_t tunnels = 0;
  std::size_t ended = 0;
  for (const auto& exchange : recorded(gateway.journal())) {
    if (exchange.at("response").at("status") != 101) continue;
    ++tunnels;
    if (exchange.contains("finish")) ++ended;
  }
  CHECK(tunnels == kChecks - 1 + 200);
  CHECK(ended == tunnels);
}

TEST_CASE("a client and a server of ws find nothing between them, with TLS on both sides") {
  const Certificate shown("front.test");
  const Certificate backend("ws.test");
  const WebSocketServer server(&backend);
  ConfigText config;
  config.backend("legacy", server.port(),
                 fmt::format("tls: {{ ca: {}, server_name: ws.test }}", backend.certificate_file()));
  config.route("open", "{ match: { prefix: /open }, to: legacy, upgrade: [websocket] }");
  config.listener(fmt::format("tls: {{ certificates: [{}] }}", certificate_entry(shown)));
  GatewayProcess gateway(config);
  check_all(web_socket_checks(fmt::format("wss://127.0.0.1:{}/open", gateway.port())));
  wait_for_closed_tunnels(gateway);
}

// Opens `url`, talks, and closes; resolves to what it saw.
std::string page_script(const std::string& url) {
  return fmt::format(
      R"js(new Promise((resolve, reject) => {{
  const seen = {{ texts: [] }};
  const socket = new WebSocket("{}");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {{ socket.send("gr\u00fc\u00dfe"); socket.send(new Uint8Array(1 << 20)); }};
  socket.onmessage = (event) => {{
    if (typeof event.data === "string") return seen.texts.push(event.data);
    seen.bytes = event.data.byteLength;
    socket.close(4002, "enough");
  }};
  socket.onerror = () => {{ seen.error = true; }};
  socket.onclose = (event) => {{
    seen.code = event.code;
    seen.clean = event.wasClean;
    resolve(seen);
  }};
}}))js",
      url);
}

void talk_as_a_page(const GatewayProcess& gateway, std::string_view scheme) {
  const TempDir folder;
  const auto file = folder / "page.html";
  std::ofstream(file) << "<!doctype html><title>WebSocket</title>";
  BrowserPage::Look look;
  look.certificates = BrowserPage::Certificates::any;
  BrowserPage page(file, look);
  const auto url = fmt::format("{}://127.0.0.1:{}/open", scheme, gateway.port());
  const auto seen = page.evaluate(page_script(url)).as_object();
  INFO(json::serialize(seen));
  CHECK(seen.at("texts").as_array() == json::array{"grüße"});
  CHECK(seen.at("bytes") == (1 << 20));
  CHECK(seen.at("code") == 4002);
  CHECK(seen.at("clean") == true);
  CHECK_FALSE(seen.contains("error"));
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "COMPLETED");
  CHECK(recorded_header(exchange.at("request").as_object(), "sec-websocket-key").has_value());
}

TEST_CASE("a page in a browser talks to a backend by ws") {
  const WebSocketServer server;
  GatewayProcess gateway(tunnels_to(server.port()));
  talk_as_a_page(gateway, "ws");
}

TEST_CASE("a page in a browser talks to a backend by wss") {
  const Certificate shown("front.test");
  const WebSocketServer server;
  auto config = tunnels_to(server.port());
  config.listener(fmt::format("tls: {{ certificates: [{}] }}", certificate_entry(shown)));
  GatewayProcess gateway(config);
  talk_as_a_page(gateway, "wss");
}

}  // namespace
}  // namespace segue::test
