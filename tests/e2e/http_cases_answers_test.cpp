// Every answer that the gateway gives itself once a head is read, as docs/http.md lists them: each
// row of that table is brought about here, and what is brought about here has a row.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/http_cases.hpp"

namespace segue::test {
namespace {

// What a row of the documentation says.
struct Row {
  int status = 0;
  std::string limit;  // label of segue_limit_refusals_total; empty: none
};

// The first word of a cell that stands between backticks; empty: none.
std::string quoted_word(std::string_view cell) {
  const auto first = cell.find('`');
  if (first == std::string_view::npos) return {};
  return std::string(cell.substr(first + 1, cell.find('`', first + 1) - first - 1));
}

std::map<std::string, Row> documented() {
  std::ifstream file(SEGUE_SOURCE_DIR "/docs/http.md");
  std::map<std::string, Row> rows;
  bool here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) here = line == "## What the gateway answers itself";
    if (!here || !line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 1; at < line.size(); at = line.find('|', at) + 1)
      cells.push_back(line.substr(at, line.find('|', at) - at));
    REQUIRE(cells.size() == 4);
    rows[quoted_word(cells[0])] = {std::stoi(cells[1]), quoted_word(cells[3])};
  }
  return rows;
}

constexpr std::string_view kOpen = "/open";

// What a gateway's backend does with a connection.
enum class Backend { answers, ends, nonsense, silent, absent };

// How an answer comes about.
struct Way {
  std::string request;
  Backend backend = Backend::answers;
  std::string backend_keys{};
  std::string listener_keys{};
  std::pair<std::string, std::string> top{};  // a key of the configuration and its value
};

ScriptedBackend::Script script_of(Backend backend) {
  return [backend](BackendConnection& connection) {
    while (connection.request()) {
      if (backend == Backend::ends) return;
      if (backend == Backend::answers) connection.send(kOk);
      if (backend == Backend::nonsense) connection.send("nonsense\r\n\r\n");
    }
  };
}

std::string get(std::string_view target, std::string_view fields = {}) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, fields);
}

std::string post(std::string_view framing, std::string_view body) {
  return fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n{}", framing, body);
}

const std::map<std::string, Way>& ways() {
  static const std::string chunked = "Transfer-Encoding: chunked";
  static const std::map<std::string, Way> all = {
      {"no_route", {.request = get("/nowhere")}},
      {"bad_target", {.request = get("/open/%00")}},
      {"path_confusion", {.request = get("/open/..%2fx")}},
      {"underscore_name",
       {.request = get(kOpen, "A_B: 1\r\n"), .listener_keys = "underscore_names: refuse"}},
      {"head_timeout",
       {.request = "GET /open HTTP/1.1\r\nHo", .top = {"limits", "{ head_time: 200ms }"}}},
      {"body_timeout",
       {.request = post("Content-Length: 9", "abc"), .top = {"limits", "{ body_idle: 200ms }"}}},
      {"body_too_large",
       {.request = post("Content-Length: 2000", ""), .top = {"limits", "{ body: 1000B }"}}},
      {"bad_chunk_size", {.request = post(chunked, "3\r\nabc\r\nzz\r\n")}},
      {"upstream_connect_failed", {.request = get(kOpen), .backend = Backend::absent}},
      {"upstream_reset", {.request = get(kOpen), .backend = Backend::ends}},
      {"upstream_malformed", {.request = get(kOpen), .backend = Backend::nonsense}},
      {"upstream_timeout",
       {.request = get(kOpen),
        .backend = Backend::silent,
        .backend_keys = "timeouts: { first_byte: 200ms }"}},
  };
  return all;
}

// Those that take more than one exchange, and have tests of their own.
const std::set<std::string>& shown_elsewhere() {
  static const std::set<std::string> reasons = {
      "body_too_slow",             // "a body that trickles in below the minimum rate is 408"
      "upstream_connect_timeout",  // "a backend that takes no connection is given up ..."
      "upstream_overloaded",       // "the pending limit of a backend ..."
      "journal_full",              // "a full journal: ..."
      "no_descriptors",            // where a process may open few files
  };
  return reasons;
}

void check(const std::string& reason, const Way& way, const Row& row) {
  INFO(reason);
  ScriptedBackend backend(script_of(way.backend));
  const auto port = way.backend == Backend::absent ? closed_port() : backend.port();
  auto config = only_open(port, way.backend_keys);
  if (!way.listener_keys.empty()) config.listener(way.listener_keys);
  if (!way.top.first.empty()) config.with(way.top.first, way.top.second);
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.socket().send_what_is_taken(way.request);
  const auto answer = client.response();
  CHECK(answer.status() == row.status);
  CHECK(answer.field("segue-error") == reason);
  CHECK(answer.body.find(reason) != std::string::npos);
  const auto label = [](std::string_view name, std::string_view value) {
    return std::vector<std::string>{fmt::format("{}=\"{}\"", name, value)};
  };
  CHECK(gateway.metric("segue_requests_refused_total", label("reason", reason)) == 1);
  CHECK(gateway.metric("segue_limit_refusals_total", {}) == (row.limit.empty() ? 0 : 1));
  if (!row.limit.empty())
    CHECK(gateway.metric("segue_limit_refusals_total", label("limit", row.limit)) == 1);
}

TEST_CASE("every answer of the gateway's own that is documented is given, and counted as it says") {
  const auto rows = documented();
  for (const auto& [reason, way] : ways()) {
    INFO(reason);
    REQUIRE(rows.contains(reason));
    check(reason, way, rows.at(reason));
  }
  for (const auto& [reason, row] : rows) {
    INFO(reason);
    CHECK((ways().contains(reason) || shown_elsewhere().contains(reason)));
  }
}

struct LateLimit {
  std::string_view limit;
  std::string_view backend_keys;
};

// The head of the answer is out: there is no other status to give, only the metric tells.
TEST_CASE("limits that cut an answer in its middle are counted by their key") {
  for (const auto& row : {LateLimit{"idle", "timeouts: { idle: 200ms }"},
                          LateLimit{"total", "timeouts: { total: 200ms }"}}) {
    INFO(row.limit);
    ScriptedBackend backend([](BackendConnection& connection) {
      connection.request();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
      connection.reader().wait_for_end();
    });
    GatewayProcess gateway(only_open(backend.port(), row.backend_keys));
    RawClient client(gateway.port());
    client.send(kPlain);
    const auto answer = client.reader().response();
    if (answer) CHECK_FALSE(answer->whole);
    const std::vector<std::string> label{fmt::format("limit=\"{}\"", row.limit)};
    gateway.wait_for_metric("segue_limit_refusals_total", label, 1);
  }
}

TEST_CASE("a backend's whole time that is up before its answer is counted as that limit") {
  ScriptedBackend backend(script_of(Backend::silent));
  GatewayProcess gateway(only_open(backend.port(), "timeouts: { total: 200ms }"));
  RawClient client(gateway.port());
  CHECK(client.exchange(kPlain).field("segue-error") == "upstream_timeout");
  CHECK(gateway.metric("segue_limit_refusals_total", {"limit=\"total\""}) == 1);
}

}  // namespace
}  // namespace segue::test
