// What a routing decision costs, by the number of routes: nanoseconds per RouteTable::decide().
// Build the target bench_decide in a release build and run it on a quiet core.

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {
namespace {

constexpr int kRounds = 7;
constexpr std::size_t kRequests = 4096;
constexpr int kPasses = 50;

// Tables like those of an API gateway: per service a prefix, a collection, an item by number, an
// item by slug below it, and a variant by header.
std::vector<RouteRule> rules(std::size_t count) {
  std::vector<RouteRule> rules;
  const auto add = [&](PathForm form, std::string path) -> RouteRule& {
    RouteRule& rule = rules.emplace_back();
    rule.name = fmt::format("route-{}", rules.size());
    rule.match.form = form;
    rule.match.path = std::move(path);
    rule.to = rules.size() % 2 == 0 ? "legacy" : "new";
    return rule;
  };
  add(PathForm::prefix, "/");
  for (std::size_t service = 0; rules.size() < count; ++service) {
    const auto base = fmt::format("/api/v{}/service-{}", service % 3, service);
    add(PathForm::prefix, base);
    if (rules.size() < count) add(PathForm::path, base + "/items").match.methods = {"GET", "POST"};
    if (rules.size() < count) {
      auto& item = add(PathForm::path, base + "/items/{id:[0-9]+}");
      item.match.methods = {"GET", "HEAD"};
      item.to.clear();
      item.split = Split{1000, *KeySource::parse("cookie:uid"), false, ""};
      item.account = *KeySource::parse("cookie:uid");
    }
    if (rules.size() < count) add(PathForm::path, base + "/items/{id}/notes/{note}");
    if (rules.size() < count) {
      auto& beta = add(PathForm::path, base + "/items");
      beta.match.methods = {"GET"};
      beta.match.headers = {{"x-beta", ValueCondition::Test::equals, "1"}};
    }
  }
  return rules;
}

std::vector<std::string> targets(std::size_t routes) {
  std::mt19937_64 random(42);
  std::vector<std::string> list;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const auto service = random() % std::max<std::size_t>(1, (routes - 1) / 5);
    const auto base = fmt::format("/api/v{}/service-{}", service % 3, service);
    switch (random() % 4) {
      case 0: list.push_back(base + "/items?page=2"); break;
      case 1: list.push_back(fmt::format("{}/items/{}", base, random() % 100'000)); break;
      case 2: list.push_back(fmt::format("{}/items/a-{}/notes/7", base, random() % 1000)); break;
      default: list.push_back(base + "/static/app.js"); break;
    }
  }
  return list;
}

// The fields of a browser, so that looking one up costs what it costs.
const std::vector<Field>& fields() {
  static const std::vector<Field> list{
      {"Host", "shop.example"},
      {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
      {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
      {"Accept-Language", "en-US,en;q=0.5"},
      {"Accept-Encoding", "gzip, deflate, br"},
      {"Connection", "keep-alive"},
      {"Cookie", "theme=dark; consent=1; uid=3f1c9a7e5b"},
  };
  return list;
}

// CPU time of this thread: a busy machine does not count.
double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Cost {
  double nanoseconds = 0;
  double compile_ms = 0;
};

Cost measure(std::size_t count) {
  using Clock = std::chrono::steady_clock;
  const std::vector<BackendRule> backends{{"legacy", "legacy"}, {"new", "new"}};
  const auto begin_compile = Clock::now();
  const auto result = RouteTable::compile(rules(count), backends);
  Cost cost;
  cost.compile_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin_compile).count();
  const auto requests = targets(count);
  Scratch scratch;
  std::vector<double> rounds;
  std::uint64_t sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_nanoseconds();
    for (int pass = 0; pass < kPasses; ++pass) {
      for (const auto& target : requests) {
        const HeadView head{"GET", "http", "shop.example", target, fields()};
        const auto decision = result.table->decide(head, Peer{"192.0.2.1"}, scratch);
        sum += decision.backend + (decision.route != nullptr ? decision.route->index : 0);
      }
    }
    const double took = cpu_nanoseconds() - begin;
    rounds.push_back(took / (kPasses * static_cast<double>(requests.size())));
  }
  std::sort(rounds.begin(), rounds.end());
  cost.nanoseconds = rounds[rounds.size() / 2];
  if (sum == 0) fmt::print("nothing was routed\n");
  return cost;
}

}  // namespace
}  // namespace segue::routing

// Arguments: numbers of routes; without any, the usual ones.
int main(int argc, char** argv) {
  std::vector<std::size_t> counts;
  for (int i = 1; i < argc; ++i) counts.push_back(std::strtoul(argv[i], nullptr, 10));
  if (counts.empty()) counts = {10, 100, 1000, 10000};
  fmt::print("{:>8}  {:>10}  {:>12}\n", "routes", "ns/decide", "compile ms");
  for (const auto count : counts) {
    const auto cost = segue::routing::measure(count);
    fmt::print("{:>8}  {:>10.0f}  {:>12.1f}\n", count, cost.nanoseconds, cost.compile_ms);
  }
  return 0;
}
