// Pairs a second on one core: JSON of 2 KiB that differs in a few fields of noise, from exchanges
// that are parsed, and from their bytes.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/compare/responses.hpp"

namespace {

using namespace segue;

constexpr int kRounds = 9;
constexpr int kPairs = 20'000;

// CPU time of this thread: what others do on the machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// A page of search results. `noise` tells one call from the next.
std::string page(std::size_t noise) {
  std::string body = fmt::format(
      R"({{"request_id":"3f2504e0-4f89-11d3-9a0c-{:012x}","generated_at":"2024-01-02T03:04:05.{:06}Z",)"
      R"("took_ms":{},"total":1284,"query":{{"text":"blue shoes","sort":"price","desc":false}},"items":[)",
      noise * 7919, noise % 1'000'000, noise % 90);
  for (int i = 0; body.size() < 1'960; ++i)
    body += fmt::format(
        R"({}{{"id":{},"name":"Blue shoe \u00e9 no. {}","price":{}.95,"currency":"EUR","stock":{},"tags":["shoe","blue"],"url":"https:\/\/shop.example\/items\/{}","sale":null}})",
        i == 0 ? "" : ",", 17'000 + i, i, 20 + i, i * 3, 17'000 + i);
  return body + "]}";
}

test::Response response(std::size_t noise) {
  test::Response made = test::json(page(noise));
  made.header("Date", fmt::format("Tue, 02 Jan 2024 03:04:{:02} GMT", noise % 60))
      .header("Content-Type", "application/json")
      .header("Content-Length", "2048")
      .header("Cache-Control", "private, max-age=0")
      .header("ETag", fmt::format("\"{:016x}\"", noise * 104'729))
      .header("Set-Cookie", fmt::format("sid={:016x}; Path=/; HttpOnly", noise * 7))
      .header("Vary", "Accept-Encoding")
      .header("X-Request-Id", fmt::format("{:032x}", noise));
  made.exchange.set_id(fmt::format("{:016}", noise));
  made.exchange.mutable_decision()->set_route("search");
  return made;
}

// The median of rounds, in pairs a second.
template <class Pair>
double pairs_a_second(Pair compare_pair) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const double start = cpu_seconds();
    for (std::size_t i = 0; i < kPairs; ++i) compare_pair(i);
    rounds.push_back(kPairs / (cpu_seconds() - start));
  }
  std::ranges::sort(rounds);
  return rounds[rounds.size() / 2];
}

}  // namespace

int main() {
  std::vector<test::Response> responses;
  std::vector<std::string> records;
  constexpr std::size_t kResponses = 1'000;
  for (std::size_t i = 0; i < kResponses; ++i) {
    responses.push_back(response(i));
    records.push_back(responses.back().exchange.SerializeAsString());
  }
  test::Comparing comparing;
  const std::size_t differences = comparing(responses[0], responses[1]).differences.size();
  fmt::print("body {} bytes, record {} bytes, {} differences\n", page(0).size(), records[0].size(),
             differences);
  std::size_t found = 0;
  const double parsed = pairs_a_second([&](std::size_t i) {
    found +=
        comparing(responses[i % kResponses], responses[(i + 1) % kResponses]).differences.size();
  });
  fmt::print("{:.0f} pairs/s of exchanges that are parsed\n", parsed);
  test::Response left;
  test::Response right;
  const double whole = pairs_a_second([&](std::size_t i) {
    if (!left.exchange.ParseFromString(records[i % kResponses]) ||
        !right.exchange.ParseFromString(records[(i + 1) % kResponses]))
      return;
    found += comparing(left, right).differences.size();
  });
  fmt::print("{:.0f} pairs/s from their bytes\n", whole);
  compare::RouteRules rules;
  rules.ignore_json = {"$.request_id", "$..generated_at"};
  rules.json.resize(2);
  rules.json[0].path = "$.items";
  rules.json[0].array = compare::ArrayPolicy::by_key;
  rules.json[0].array_key = "$.id";
  rules.json[1].path = "$..price";
  rules.json[1].tolerance = 0.01;
  test::Comparing by_rules(rules);
  const double ruled = pairs_a_second([&](std::size_t i) {
    found +=
        by_rules(responses[i % kResponses], responses[(i + 1) % kResponses]).differences.size();
  });
  fmt::print("{:.0f} pairs/s with four rules\n", ruled);
  return found > 0 ? 0 : 1;
}
