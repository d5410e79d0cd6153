#include "tests/e2e/http_cases.hpp"

#include <catch2/catch_test_macros.hpp>
#include <regex>

namespace segue::test {
namespace {

constexpr std::string_view kAdded =
    "Via: 1.1 segue\r\nForwarded: for=127.0.0.1;host=\"a\";proto=http\r\n"
    "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n";

std::string with_added(std::string_view text) {
  std::string out(text);
  const auto at = out.find("{added}");
  if (at != std::string::npos) out.replace(at, 7, kAdded);
  return out;
}

constexpr std::string_view kDatePattern =
    "Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} [0-9]{4} "
    "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT\r\n";

}  // namespace

std::string undated(std::string answer) {
  static const std::regex line{std::string(kDatePattern)};
  std::smatch found;
  if (!std::regex_search(answer, found, line)) throw TestFailure("no Date in: " + answer);
  return answer.erase(static_cast<std::size_t>(found.position()),
                      static_cast<std::size_t>(found.length()));
}

ConfigText only_open(std::uint16_t port, std::string_view backend_keys) {
  ConfigText config;
  config.backend("legacy", port, backend_keys);
  config.route("open", "{ match: { prefix: /open }, to: legacy }");
  return config;
}

Believer::Believer(std::string answer)
    : backend_([this, answer = std::move(answer)](BackendConnection& connection) {
        while (connection.request()) connection.send(answer);
        const std::lock_guard lock(mutex_);
        stray_ += connection.reader().rest();
      }) {}

std::vector<std::string> Believer::lines() const {
  std::vector<std::string> lines;
  for (const auto& request : backend_.requests()) lines.push_back(request.start_line);
  return lines;
}

std::string Believer::stray() const {
  const std::lock_guard lock(mutex_);
  return stray_;
}

void check_passing(const PassingCase& row, std::string_view listener_keys,
                   std::string_view backend_keys) {
  INFO(row.name);
  Believer backend{std::string(row.answer)};
  auto config = only_open(backend.port(), backend_keys);
  if (!listener_keys.empty()) config.listener(listener_keys);
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.send(row.request);
  const bool says_date = row.answer.find("\r\nDate:") != std::string_view::npos;
  auto got = client.reader().some(row.at_client.size() + (says_date ? 0 : kDateLineBytes));
  client.socket().finish_sending();
  client.reader().wait_for_end();
  got += client.reader().rest();
  CHECK((says_date ? got : undated(got)) == row.at_client);
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].raw_head + seen[0].body == with_added(row.at_backend));
  CHECK(seen[0].whole);
}

std::vector<int> statuses(RawClient& client, std::size_t wanted) {
  std::vector<int> found;
  while (found.size() < wanted) {
    const auto answer = client.reader().response();
    if (!answer) break;
    found.push_back(answer->status());
  }
  return found;
}

bool ended_without_more(RawClient& client) {
  client.socket().finish_sending();
  client.reader().wait_for_end();
  return client.reader().rest().empty();
}

}  // namespace segue::test
