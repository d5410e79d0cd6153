// At the limits of connections and of descriptors: accepting pauses, and who was accepted is served.

#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/http_cases.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kRequest = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";

// The number that the next descriptor of a process gets.
std::size_t next_descriptor(pid_t process) {
  std::size_t number = 0;
  while (std::filesystem::is_symlink(fmt::format("/proc/{}/fd/{}", process, number))) ++number;
  return number;
}

// How many descriptors a running process may have.
void limit_descriptors(pid_t process, std::size_t count) {
  rlimit limit{};
  if (::prlimit(process, RLIMIT_NOFILE, nullptr, &limit) != 0) fail_with_errno("prlimit");
  limit.rlim_cur = count;
  if (::prlimit(process, RLIMIT_NOFILE, &limit, nullptr) != 0) fail_with_errno("prlimit");
}

std::vector<std::unique_ptr<RawClient>> served(GatewayProcess& gateway, std::size_t count) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(gateway.port()));
    CHECK(clients.back()->get("/open").status() == 200);
  }
  return clients;
}

TEST_CASE("at limits.connections clients wait to be accepted, and are when others leave") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port())
                             .with("limits", "{ connections: 3 }")
                             .with("cores", "{ count: 1 }"));
  auto clients = served(gateway, 3);
  RawClient waiting(gateway.port());  // in the queue of the listening socket
  waiting.send(kRequest);
  gateway.wait_for_metric("segue_accept_pauses_total", {}, 1);
  CHECK(gateway.metric("segue_connections") == 3);
  CHECK(gateway.metric("segue_connections_limit") == 3);
  for (const auto& client : clients) CHECK(client->get("/open").status() == 200);
  clients.pop_back();
  CHECK(waiting.response().status() == 200);
}

TEST_CASE("without a descriptor left clients are served on, and taken when there is room again") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"));
  auto clients = served(gateway, 4);
  const pid_t process = gateway.process().pid();
  const std::size_t next = next_descriptor(process);
  limit_descriptors(process, next);  // not one more
  RawClient waiting(gateway.port());
  waiting.send(kRequest);
  for (int i = 0; i < 20; ++i)
    for (const auto& client : clients) CHECK(client->get("/open").status() == 200);
  CHECK_FALSE(waiting.socket().readable_now());
  clients.pop_back();
  CHECK(waiting.response().status() == 200);
  limit_descriptors(process, next + 64);
  CHECK(gateway.metric("segue_accept_pauses_total") >= 1);
  CHECK(gateway.metric("segue_sessions_failed_total") == 0);
}

TEST_CASE("without a descriptor for the backend a request is 503, and its endpoint is not blamed") {
  std::atomic<int> answered{0};
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      ++answered;  // before the client can know of it
      connection.send(response_with(200, "x", "Connection: close\r\n"));
      return;
    }
  });
  GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"));
  RawClient client(gateway.port());
  CHECK(client.get("/open").status() == 200);
  gateway.wait_for_metric("segue_backend_connects_total", {}, 1);
  const pid_t process = gateway.process().pid();
  limit_descriptors(process, 3);  // below what is open already: no new one
  for (int i = 0; i < 10; ++i) {
    const auto answer = client.get("/open");
    CHECK(answer.status() == 503);
    CHECK(answer.field("segue-error") == "no_descriptors");
  }
  limit_descriptors(process, next_descriptor(process) + 64);
  CHECK(client.get("/open").status() == 200);
  CHECK(answered == 2);
  CHECK(gateway.metric("segue_requests_refused_total", {"reason=\"no_descriptors\""}) == 10);
}

TEST_CASE("clients are given no more descriptors than leave some for backends and the journal") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"), std::nullopt,
                         CommandLine{{"prlimit", "--nofile=240:240"}, {}});
  CHECK(gateway.process().errors().find("limits.connections is 20000") != std::string::npos);
  const auto limit = static_cast<std::size_t>(gateway.metric("segue_connections_limit"));
  CHECK(limit == (240 - 64 - 16) / 2);
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (std::size_t i = 0; i < limit + 20; ++i)
    crowd.push_back(std::make_unique<RawClient>(gateway.port()));
  // All that were accepted ask at once, each on a backend connection of its own.
  for (const auto& client : crowd) client->send(kRequest);
  for (std::size_t i = 0; i < limit; ++i) CHECK(crowd[i]->response().status() == 200);
  CHECK(gateway.metric("segue_connections") == static_cast<double>(limit));
  CHECK(gateway.metric("segue_accept_pauses_total") >= 1);
  for (std::size_t i = 0; i < limit; ++i) crowd[i]->socket().close();
  for (std::size_t i = limit; i < crowd.size(); ++i)
    CHECK(crowd[i]->response().status() == 200);
}

}  // namespace
}  // namespace segue::test
