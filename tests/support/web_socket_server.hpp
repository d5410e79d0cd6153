#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "tests/support/certificate.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// The WebSocket server of the npm package ws; tests/support/stack/websocket/server.mjs says what it
// does. It goes with its scope, and with the test's process however that ends.
class WebSocketServer {
 public:
  // Null: without TLS.
  explicit WebSocketServer(const Certificate* certificate = nullptr);
  ~WebSocketServer();
  WebSocketServer(const WebSocketServer&) = delete;
  WebSocketServer& operator=(const WebSocketServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  std::string folder() const { return (folder_ / "server").string(); }

  TempDir folder_;
  std::uint16_t port_ = 0;
};

// What the client of that package finds at `url`, where such a server is, perhaps behind something:
// true, or what was wrong, by the name of the check (websocket/client.mjs).
boost::json::object web_socket_checks(const std::string& url);

}  // namespace segue::test
