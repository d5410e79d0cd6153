#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

// A server that takes connections, as the kernel does it for any that listens, and reads nothing of
// them. Small segments and a small window: little of a request is out of the gateway's hands.
class Unreading {
 public:
  Unreading() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (!listener_) fail_with_errno("socket");
    option(SOL_SOCKET, SO_RCVBUF, 4096);
    option(IPPROTO_TCP, TCP_MAXSEG, 536);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail_with_errno("bind");
    socklen_t size = sizeof address;
    if (::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      fail_with_errno("getsockname");
    if (::listen(listener_.get(), SOMAXCONN) != 0) fail_with_errno("listen");
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }

 private:
  void option(int level, int name, int value) {
    if (::setsockopt(listener_.get(), level, name, &value, sizeof value) != 0)
      fail_with_errno("setsockopt");
  }

  Descriptor listener_;
  std::uint16_t port_ = 0;
};

TEST_CASE("a backend that reads nothing of a request: 504 at the total limit") {
  const auto framing = GENERATE(as<std::string>{}, "Content-Length: 4\r\n\r\nbody",
                                "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
  const Unreading backend;
  auto config = all_to(backend.port(), "timeouts: { first_byte: none, idle: none, total: 300ms }");
  config.with("limits", "{ head: 1MiB }")
      .with("defaults", "{ record: { redact: {}, bodies: { max: 1KiB } } }");
  GatewayProcess gateway(config);
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 90; ++i) head += fmt::format("X-Long-{}: {}\r\n", i, std::string(10'000, 'x'));
  RawClient client(gateway.port());
  const auto answer = client.exchange(head + framing);
  CHECK(answer.status() == 504);
  CHECK(answer.field("segue-error") == "upstream_timeout");
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "UPSTREAM_TIMEOUT");
}

}  // namespace
}  // namespace segue::test
