#include "gateway/upstream/health_check.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>

#include "runtime/task_group.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::gateway {
namespace {

using test::BackendConnection;
using test::response_with;
using test::ScriptedBackend;

BackendSettings checked_every(std::chrono::milliseconds interval, std::uint16_t port) {
  BackendSettings backend;
  backend.name = "legacy";
  EndpointSettings& endpoint = backend.endpoints.emplace_back();
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  HealthSettings& health = backend.health.emplace();
  health.path = "/healthz";
  health.interval = interval;
  return backend;
}

// One check of one endpoint on a core of its own, begun when made and ended with its scope.
struct Checked {
  explicit Checked(BackendSettings settings) : backend(std::move(settings)) {
    core.start();
    core.ask([this] { tasks.spawn(check.run()); });
  }
  ~Checked() {
    end();
    core.stop();
    core.join();
  }
  void end() {
    const test::Deadline deadline;
    do core.ask([this] { check.stop(); });
    while (core.ask([this] { return tasks.size(); }) != 0 && deadline.left() != 0);
    CHECK(core.ask([this] { return tasks.size(); }) == 0);
  }
  std::uint64_t count(CheckResult result) {
    return core.ask([&] { return counts[static_cast<std::size_t>(result)]; });
  }
  void wait_for(CheckResult result, std::uint64_t wanted) {
    const test::Deadline deadline;
    while (count(result) < wanted) {
      if (deadline.left() == 0) throw test::TestFailure("too few checks came to that");
      std::this_thread::yield();
    }
  }

  BackendSettings backend;
  runtime::Core core{0};
  runtime::BufferPool buffers;
  std::optional<runtime::TlsContext> plain;
  EndpointHealth verdict;
  CheckCounts counts{};
  Notices notices;
  HealthCheck check{HealthCheck::Means{core, buffers, backend, backend.endpoints.front(), nullptr,
                                       plain, http1::HeadLimits{}, verdict, counts, notices},
                    "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1};
  runtime::TaskGroup tasks;
};

constexpr std::chrono::milliseconds kOften{50};

TEST_CASE("checks that pass leave an endpoint as healthy as it began") {
  ScriptedBackend server(test::answer_always(response_with(200, "fine")));
  Checked checked(checked_every(kOften, server.port()));
  checked.wait_for(CheckResult::passed, 3);
  CHECK(checked.verdict.checked());
  CHECK(checked.notices.take().empty());
  CHECK(server.requests().front().start_line == "GET /healthz HTTP/1.1");
}

TEST_CASE("the third bad check in a row makes an endpoint unhealthy, the second good one healthy") {
  std::atomic<int> asked = 0;
  ScriptedBackend server([&](BackendConnection& connection) {
    if (connection.request()) connection.send(response_with(++asked <= 3 ? 503 : 204, ""));
  });
  Checked checked(checked_every(kOften, server.port()));
  checked.wait_for(CheckResult::status, 3);
  checked.wait_for(CheckResult::passed, 2);
  CHECK(checked.verdict.checked());
  const auto lines = checked.notices.take();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("is unhealthy: 3 checks failed, the last one: it answered 503") !=
        std::string::npos);
  CHECK(lines[1].find("is healthy again: 2 checks passed") != std::string::npos);
}

TEST_CASE("what is no answer is told apart") {
  struct Row {
    std::string answer;  // empty: none comes
    CheckResult result;
  };
  const Row rows[] = {
      {"", CheckResult::timeout},
      {"hello world\r\n\r\n", CheckResult::broken},
      {"HTTP/1.1 200 OK\r\n", CheckResult::broken},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CheckResult::broken},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", CheckResult::broken},
      {response_with(404, "x"), CheckResult::status},
      {"HTTP/1.1 103 Early Hints\r\n\r\n" + response_with(302, ""), CheckResult::passed},
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", CheckResult::passed},
      {response_with(200, std::string(std::size_t{1} << 20, 'x')), CheckResult::passed},
  };
  for (const Row& row : rows) {
    ScriptedBackend server([&](BackendConnection& connection) {
      connection.request();
      if (row.answer.empty())
        connection.reader().wait_for_end();
      else
        connection.send(row.answer);
    });
    auto settings = checked_every(kOften, server.port());
    settings.health->timeout = std::chrono::milliseconds(row.answer.empty() ? 50 : 5'000);
    Checked checked(settings);
    checked.wait_for(row.result, 1);
  }
}

TEST_CASE("an endpoint where nobody listens fails its checks, and says why") {
  Checked checked(checked_every(kOften, test::closed_port()));
  checked.wait_for(CheckResult::unreachable, 3);
  CHECK_FALSE(checked.verdict.checked());
  const auto lines = checked.notices.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("refused") != std::string::npos);
}

TEST_CASE("a check ends when it is told to: while it sleeps, and while it waits for an answer") {
  ScriptedBackend answers(test::answer_always(response_with(200, "fine")));
  Checked sleeps(checked_every(std::chrono::hours(1), answers.port()));
  sleeps.wait_for(CheckResult::passed, 1);
  sleeps.end();
  ScriptedBackend silent([](BackendConnection& connection) {
    connection.request();
    connection.reader().wait_for_end();
  });
  auto settings = checked_every(std::chrono::hours(1), silent.port());
  settings.health->timeout = std::chrono::hours(1);
  Checked waits(settings);
  silent.wait_for_requests(1);
  waits.end();
  CHECK(waits.verdict.checked());
  CHECK(waits.count(CheckResult::timeout) + waits.count(CheckResult::unreachable) == 0);
}

}  // namespace
}  // namespace segue::gateway
