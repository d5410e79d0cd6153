#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kChecks =
    "health: { path: /healthz, interval: 200ms, timeout: 200ms, healthy_after: 2, "
    "unhealthy_after: 3 }";
const std::string kWell = response_with(204, "");
const std::string kIll = response_with(500, "ill");

// A server that answers requests, and checks as it is told.
class Patient {
 public:
  explicit Patient(std::string answer = kWell)
      : answer_(std::move(answer)), backend_([this](BackendConnection& connection) { serve(connection); }) {}

  // What each check gets from here on, before its connection is closed; empty: nothing, and it is
  // left open.
  void answer_checks(std::string bytes) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(bytes);
  }
  std::uint16_t port() const { return backend_.port(); }
  std::string endpoint() const { return fmt::format("127.0.0.1:{}", port()); }
  std::size_t checks() const { return count("/healthz"); }
  std::size_t requests() const { return backend_.requests().size() - checks(); }
  Message first_check() { return backend_.wait_for_requests(1).front(); }

 private:
  void serve(BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() != "/healthz") {
        connection.send(response_with(200, endpoint()));
        continue;
      }
      const std::string bytes = answer();
      if (bytes.empty())
        connection.reader().wait_for_end();
      else
        connection.send(bytes);
      return;
    }
  }
  std::string answer() const {
    const std::lock_guard lock(mutex_);
    return answer_;
  }
  std::size_t count(std::string_view target) const {
    std::size_t found = 0;
    for (const Message& request : backend_.requests()) found += request.target() == target ? 1 : 0;
    return found;
  }

  mutable std::mutex mutex_;
  std::string answer_;
  ScriptedBackend backend_;  // last: its threads use the others
};

ConfigText checked(const std::vector<std::string>& endpoints, std::string_view more = {}) {
  ConfigText config;
  config
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"{}\"], {}{} }} }}",
                                    fmt::join(endpoints, "\", \""), kChecks, more))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  return config;
}

double healthy(const GatewayProcess& gateway, const std::string& endpoint) {
  return gateway.metric("segue_backend_endpoint_healthy", {"endpoint=\"" + endpoint + "\""});
}
double checks(const GatewayProcess& gateway, const std::string& result) {
  return gateway.metric("segue_backend_endpoint_checks_total", {"result=\"" + result + "\""});
}

void wait_until(const std::function<bool()>& holds, const char* what) {
  const Deadline deadline;
  while (!holds()) {
    if (deadline.left() == 0) throw TestFailure(std::string("in vain: ") + what);
    std::this_thread::yield();  // each look is a whole request: not a busy loop
  }
}
void wait_for_verdict(const GatewayProcess& gateway, const std::string& endpoint, bool verdict) {
  wait_until([&] { return (healthy(gateway, endpoint) == 1) == verdict; }, "a verdict");
}

std::string line_with(GatewayProcess& gateway, std::string_view text) {
  while (auto line = gateway.process().next_error_line())
    if (line->find(text) != std::string::npos) return *line;
  throw TestFailure("standard error ended without " + std::string(text));
}

TEST_CASE("an endpoint whose checks fail gets no requests until they pass again") {
  Patient one;
  Patient two;
  GatewayProcess gateway(checked({one.endpoint(), two.endpoint()}));
  RawClient client(gateway.port());
  one.answer_checks(kIll);
  wait_for_verdict(gateway, one.endpoint(), false);
  CHECK(line_with(gateway, "unhealthy")
            .find(fmt::format("backend legacy: {} is unhealthy: 3 checks failed, the last one: "
                              "it answered 500",
                              one.endpoint())) != std::string::npos);
  const std::size_t before = one.requests();
  for (int i = 0; i < 10; ++i) CHECK(client.get("/").body == two.endpoint());
  CHECK(one.requests() == before);

  one.answer_checks(kWell);
  wait_for_verdict(gateway, one.endpoint(), true);
  CHECK(line_with(gateway, "healthy again").find("2 checks passed") != std::string::npos);
  wait_until([&] { return client.get("/").body == one.endpoint(); }, "its turn");
  for (const auto& exchange : recorded(gateway.journal()))
    CHECK(text_of(exchange.at("request").at("target")) == "/");
}

struct Check {
  const char* name;
  std::string answer;  // empty: none
  const char* result;
};

TEST_CASE("what is no answer of a healthy endpoint makes it unhealthy") {
  const Check rows[] = {
      {"404", response_with(404, "x"), "status"},
      {"500", kIll, "status"},
      {"never an answer", "", "timeout"},
      {"garbage", "hello world\r\n\r\n", "broken"},
      {"an end without an answer", "HTTP/1.1 200 OK\r\n", "broken"},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "broken"},
      {"a damaged body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broken"},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "broken"},
  };
  for (const Check& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Patient patient(row.answer);
      GatewayProcess gateway(checked({patient.endpoint()}));
      wait_for_verdict(gateway, patient.endpoint(), false);
      CHECK(checks(gateway, row.result) >= 3);
      // Alone as it is, it is tried all the same.
      RawClient client(gateway.port());
      CHECK(client.get("/").status() == 200);
    }
  }
}

TEST_CASE("whatever has a status of 2xx or 3xx is an answer of a healthy endpoint") {
  const Check rows[] = {
      {"no body", kWell, ""},
      {"a redirect", response_with(302, "", "Location: /login\r\n"), ""},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
      {"until the end", "HTTP/1.0 200 OK\r\n\r\nok", ""},
      {"interim ones before", "HTTP/1.1 103 Early Hints\r\n\r\n" + response_with(200, "ok"), ""},
      {"a long body", response_with(200, std::string(std::size_t{1} << 20, 'x')), ""},
  };
  for (const Check& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Patient patient(row.answer);
      GatewayProcess gateway(checked({patient.endpoint()}));
      gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"passed\""}, 3);
      CHECK(healthy(gateway, patient.endpoint()) == 1);
      CHECK(checks(gateway, "broken") + checks(gateway, "status") == 0);
    }
  }
}

TEST_CASE("a check is a GET of its own connection, with the backend's Host") {
  Patient patient;
  GatewayProcess gateway(checked({patient.endpoint()}, ", host: shop.example"));
  const Message check = patient.first_check();
  CHECK(check.start_line == "GET /healthz HTTP/1.1");
  CHECK(check.field("host") == "shop.example");
  CHECK(check.field("connection") == "close");
  CHECK(check.field("user-agent").value_or("").starts_with("segue-health/"));
}

TEST_CASE("without a host of the backend, Host is the endpoint; a name is looked up") {
  Patient patient;
  GatewayProcess gateway(checked({fmt::format("localhost:{}", patient.port())}));
  CHECK(patient.first_check().field("host") == fmt::format("localhost:{}", patient.port()));
  gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"passed\""}, 1);
}

TEST_CASE("nobody listens at an endpoint: its checks fail, too") {
  GatewayProcess gateway(checked({fmt::format("127.0.0.1:{}", closed_port())}));
  gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"unreachable\""}, 3);
  CHECK(line_with(gateway, "unhealthy").find("refused") != std::string::npos);
}

TEST_CASE("two cores ask each endpoint once") {
  Patient one;
  Patient two;
  ConfigText config;
  config
      .with("backends",
            fmt::format("{{ legacy: {{ endpoints: [\"{}\", \"{}\"], "
                        "health: {{ path: /healthz, interval: 1h, timeout: 1m }} }} }}",
                        one.endpoint(), two.endpoint()))
      .with("cores", "{ count: 2 }")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"passed\""}, 2);
  CHECK(one.checks() == 1);
  CHECK(two.checks() == 1);
}

TEST_CASE("checks speak TLS as requests do") {
  Patient patient;
  const Certificate certificate("inner.test");
  const Certificate stranger("inner.test");
  GatewayProcess inner(tls_to(patient.port(), certificate_entry(certificate)));
  const std::string endpoint = fmt::format("127.0.0.1:{}", inner.port());
  const auto trusting = [](const Certificate& authority) {
    return fmt::format(", tls: {{ ca: {}, server_name: inner.test }}",
                       authority.certificate_file());
  };
  GatewayProcess right(checked({endpoint}, trusting(certificate)));
  right.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"passed\""}, 2);
  GatewayProcess wrong(checked({endpoint}, trusting(stranger)));
  wrong.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"unreachable\""}, 3);
  CHECK(line_with(wrong, "unhealthy").find("certificate") != std::string::npos);
}

TEST_CASE("checks that wait for an answer do not hold up the end of the gateway") {
  Patient patient("");
  ConfigText config;
  config
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"{}\"], health: {{ path: /healthz, "
                                    "interval: 1h, timeout: 1h }} }} }}",
                                    patient.endpoint()))
      .with("drain", "{ delay: 0s, timeout: 1h }")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  patient.first_check();
  CHECK(gateway.stop().exit_code == 0);
}

TEST_CASE("checks that sleep do not hold up the end of the gateway") {
  Patient patient;
  ConfigText config;
  config
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"{}\"], health: {{ path: /healthz, "
                                    "interval: 1h }} }} }}",
                                    patient.endpoint()))
      .with("drain", "{ delay: 0s, timeout: 1h }")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"passed\""}, 1);
  CHECK(gateway.stop().exit_code == 0);
}

}  // namespace
}  // namespace segue::test
