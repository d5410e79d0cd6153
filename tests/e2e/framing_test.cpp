#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <map>
#include <mutex>
#include <sstream>

#include "tests/gateway/http1_cases.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

// The corpus of the head parser and the chunk decoder, sent through the whole gateway.
namespace segue::test {
namespace {

namespace http1 = gateway::http1;

std::uint64_t length_of(std::string_view framing) {
  std::uint64_t length = 0;
  if (framing.starts_with("length:")) {
    std::from_chars(framing.data() + 7, framing.data() + framing.size(), length);
  }
  return length;
}

// The body that a row's head announces, as its framing says.
std::string body_for(std::string_view framing) {
  if (framing == "chunked") return "3\r\nabc\r\n0\r\n\r\n";
  return std::string(std::min<std::uint64_t>(length_of(framing), 1 << 20), 'x');
}

// "METHOD target authority framing keep|close"
struct ReadAs {
  explicit ReadAs(std::string_view text) {
    std::vector<std::string> words;
    std::istringstream stream{std::string(text)};
    for (std::string word; std::getline(stream, word, ' ');) words.push_back(word);
    if (words.size() < 4) throw TestFailure("not a reading: " + std::string(text));
    method = words[0];
    target = words[1];
    framing = words[words.size() - 2];
    ending = words.back();
  }
  std::string method, target, framing, ending;
};

TEST_CASE("every malformed request gets its answer, is counted, and no backend hears of it") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  std::map<std::string, int> counted;
  for (const auto& row : http1::request_cases()) {
    if (row.status == 0) continue;
    INFO(row.name);
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(row.raw);
    const auto answer = client.response();
    CHECK(answer.status() == row.status);
    CHECK(answer.field("segue-error").has_value());
    client.socket().finish_sending();
    client.reader().wait_for_end();  // fails when the connection is not closed
    CHECK(client.reader().rest().empty());
    ++counted[std::string(row.reason)];
  }
  CHECK(backend.requests().empty());
  CHECK(backend.connections() == 0);
  std::map<std::string, int> over_limits;
  for (const auto& [reason, limit] :
       {std::pair{"head_too_large", "head"}, std::pair{"too_many_fields", "fields"},
        std::pair{"connection_too_long", "fields"}, std::pair{"target_too_long", "target"}}) {
    CHECK(counted[reason] > 0);
    over_limits[limit] += counted[reason];
  }
  for (const auto& [limit, count] : over_limits) {
    INFO(limit);
    const std::vector<std::string> label{fmt::format("limit=\"{}\"", limit)};
    CHECK(gateway.metric("segue_limit_refusals_total", label) == count);
  }
  for (const auto& [reason, count] : counted) {
    INFO(reason);
    const std::vector<std::string> label{fmt::format("reason=\"{}\"", reason)};
    CHECK(gateway.metric("segue_requests_refused_total", label) == count);
  }
}

TEST_CASE("every well-formed request reaches the backend as it was read") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ body_idle: 2s }"));
  std::size_t forwarded = 0;
  for (const auto& row : http1::request_cases()) {
    if (row.status != 0) continue;
    INFO(row.name);
    const ReadAs read(row.reason);
    if (length_of(read.framing) > (1 << 20)) continue;  // a length at the limit of the type
    RawClient client(gateway.port());
    client.send(row.raw);
    client.socket().send_what_is_taken(body_for(read.framing));
    const auto answer = client.response(read.method);
    if (read.target == "*" || read.method == "OPTIONS") {
      CHECK(answer.status() / 100 == 2);
    } else {
      CHECK(answer.status() == 200);
      ++forwarded;
      const auto seen = backend.wait_for_requests(forwarded);
      REQUIRE(seen.size() == forwarded);
      CHECK(seen.back().start_line == fmt::format("{} {} HTTP/1.1", read.method, read.target));
      CHECK(seen.back().whole);
    }
    forwarded = backend.requests().size();
    if (read.ending == "close") {
      CHECK(client.reader().wait_for_end() == Received::end);
    } else {
      CHECK(client.get("/after").status() == 200);
      ++forwarded;
    }
  }
}

TEST_CASE("every damaged chunked body ends in 400 or an abort, never whole at the backend") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (!request->whole) return;
      connection.send(response_with(200, request->body));
    }
  });
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ body_idle: 2s }"));
  for (const auto& row : http1::chunk_cases()) {
    INFO(row.name);
    const auto target = fmt::format("/{}", &row - http1::chunk_cases().data());
    RawClient client(gateway.port());
    client.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", target));
    client.socket().send_what_is_taken(row.raw);
    client.socket().finish_sending();
    const auto answer = client.reader().response("POST");
    const auto requests = backend.requests();
    const auto seen = std::ranges::find(requests, target, &Message::target);
    if (row.damage.empty()) {
      REQUIRE(answer);
      CHECK(answer->status() == 200);
      CHECK(answer->body == row.content);
    } else {
      if (answer) CHECK(answer->status() == 400);
      if (seen != requests.end()) CHECK_FALSE(seen->whole);
    }
  }
}

TEST_CASE("every malformed response head of the corpus is a 502") {
  std::mutex mutex;
  std::string_view next;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      const std::lock_guard lock(mutex);
      connection.send(next);
      if (next.find("\r\n\r\n") == std::string_view::npos) return;
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  for (const auto& row : http1::response_cases()) {
    if (row.accepted) continue;
    INFO(row.name);
    {
      const std::lock_guard lock(mutex);
      next = row.raw;
    }
    RawClient client(gateway.port());
    const auto answer = client.exchange(
        fmt::format("{} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", row.method));
    CHECK(answer.status() == 502);
    CHECK(answer.field("segue-error").has_value());
  }
}

TEST_CASE("every well-formed response head of the corpus reaches the client") {
  std::mutex mutex;
  const http1::ResponseCase* current = nullptr;
  const auto framing = [](const http1::ResponseCase& row) {
    const auto start = row.reason.find(' ') + 1;
    return row.reason.substr(start, row.reason.rfind(' ') - start);
  };
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      const std::lock_guard lock(mutex);
      connection.send(std::string(current->raw) + body_for(framing(*current)));
      if (framing(*current) == "until_close") return;
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  for (const auto& row : http1::response_cases()) {
    const auto status = row.reason.substr(0, row.reason.find(' '));
    if (!row.accepted || status.starts_with('1') || length_of(framing(row)) > (1 << 20)) continue;
    INFO(row.name);
    {
      const std::lock_guard lock(mutex);
      current = &row;
    }
    RawClient client(gateway.port());
    const auto answer = client.exchange(
        fmt::format("{} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", row.method));
    CHECK(std::to_string(answer.status()) == status);
    CHECK(answer.whole);
    if (framing(row) == "chunked") CHECK(answer.body == "abc");
    CHECK(answer.body.size() >= length_of(framing(row)));
  }
}

}  // namespace
}  // namespace segue::test
