// A request head, read as the gateway reads it, under routes of every kind. Whatever the bytes: a
// decision does not depend on what was decided before; what goes to a backend is a target that
// every strict reader takes as it is; no way of reading a path leads out of the route that was
// chosen for it, nor out of the prefix that a rewrite put in front.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/ensure.hpp"
#include "gateway/http1/head_parser.hpp"
#include "routing/request_path.hpp"
#include "routing/key_source.hpp"
#include "routing/route_table.hpp"

namespace {

using namespace segue;
using routing::Decision;
using routing::PathFault;
using routing::PathReading;
using routing::RequestPath;

using routing::KeySource;
using routing::RouteRule;
using routing::ValueCondition;

RouteRule rule(const char* name, routing::PathForm form, const char* path) {
  RouteRule made;
  made.name = name;
  made.match.form = form;
  made.match.path = path;
  made.to = "legacy";
  made.account = KeySource::parse("jwt:authorization/sub").value();
  return made;
}

std::vector<RouteRule> rules() {
  using routing::PathForm;
  std::vector<RouteRule> all;
  all.push_back(rule("all", PathForm::prefix, "/"));
  all.push_back(rule("admin", PathForm::prefix, "/admin"));
  all.push_back(rule("item", PathForm::path, "/items/{id:[0-9]+}"));
  all.back().match.methods = {"GET"};
  all.back().account = KeySource::parse("path:id").value();
  all.push_back(rule("any-item", PathForm::path, "/items/{id}"));
  all.push_back(rule("rest", PathForm::path, "/files/{rest...}"));
  all.push_back(rule("moved", PathForm::prefix, "/geo"));
  all.back().rewrite = {routing::RewriteForm::prefix, "/v1/geo"};
  all.push_back(rule("put", PathForm::path, "/put/{a}/{b}"));
  all.back().rewrite = {routing::RewriteForm::path, "/v2/{b}/x/{a}"};
  all.push_back(rule("expression", PathForm::regex, "/r/[a-z]+/?"));
  all.back().match.under = "/r";
  all.push_back(rule("host", PathForm::prefix, "/h"));
  all.back().match.host = "*.shop.example";
  all.push_back(rule("split", PathForm::prefix, "/s"));
  all.back().to.clear();
  all.back().split = routing::Split{5'000, KeySource::parse("cookie:uid").value(), false, ""};
  all.back().account = KeySource::parse("query:account").value();
  all.push_back(rule("conditions", PathForm::prefix, "/c"));
  all.back().match.headers = {{"x-a", ValueCondition::Test::regex, "[0-9]+"}};
  all.back().match.query = {{"q", ValueCondition::Test::equals, "1"}};
  all.back().account = KeySource::parse("cookie:a").value();
  return all;
}

const routing::RouteTable& table() {
  static const std::vector<routing::BackendRule> backends{{"legacy", "legacy"}, {"new", "new"}};
  static const routing::CompileResult compiled = routing::RouteTable::compile(rules(), backends);
  ensure(compiled.table != nullptr,
         compiled.problems.empty() ? "no routes" : compiled.problems[0].message.c_str());
  return *compiled.table;
}

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// The path in every way that a server may read it, but those that no server can.
template <class Check>
void in_every_reading(std::string_view target, Check check) {
  static RequestPath path;
  const std::string_view raw = target.substr(0, target.find('?'));
  for (const auto dots :
       {PathReading::Dots::kept, PathReading::Dots::plain, PathReading::Dots::encoded_too})
    for (int flags = 0; flags < 8; ++flags) {
      const PathReading reading{dots, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0};
      if (path.read_as(raw, reading) == PathFault::none) check(path.text());
    }
}

void check_target(std::string_view target) {
  const std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  gateway::http1::RequestParser next({.head_bytes = 64 << 10, .target_bytes = 64 << 10});
  ensure(next.parse(request) == gateway::http1::ParseState::done, "a target that is refused");
  ensure(next.head().target == target, "a target that reads differently");
}

void check_routed(const Decision& decision, std::string_view target) {
  const std::string& name = decision.route->name;
  const std::string_view upstream = decision.upstream_target;
  check_target(upstream);
  RequestPath path;
  ensure(path.read(upstream.substr(0, upstream.find('?'))) == PathFault::none,
         "a backend gets a path that leads nowhere");
  if (name == "moved") {
    in_every_reading(upstream, [](std::string_view text) {
      ensure(is_below(text, "/v1/geo"), "a path that leaves its prefix");
    });
  } else if (name == "put") {
    in_every_reading(upstream, [](std::string_view text) {
      ensure(is_below(text, "/v2"), "a path that leaves its template");
    });
  } else {
    ensure(upstream == target, "a target that nobody rewrites arrives as it came");
    in_every_reading(upstream, [&](std::string_view text) {
      ensure(is_below(text, "/admin") == (name == "admin"), "a path that leads to another route");
    });
  }
}

void same(const Decision& a, const Decision& b) {
  ensure(a.verdict == b.verdict && a.route == b.route && a.backend == b.backend &&
             a.bucket == b.bucket && a.account_id == b.account_id &&
             a.upstream_target == b.upstream_target && a.parameters.size() == b.parameters.size(),
         "a decision depends on the one before");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static routing::Scratch used;
  gateway::http1::RequestParser parser({});
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  if (parser.parse(raw) != gateway::http1::ParseState::done) return 0;
  const auto& head = parser.head();
  if (!head.target.starts_with('/')) return 0;  // "*" is answered before there is a decision
  const HeadView view{head.method, "http", head.authority, head.target, head.fields};
  const routing::Peer peer{"192.0.2.1"};
  routing::Scratch fresh;
  const Decision decision = table().decide(view, peer, used);
  same(decision, table().decide(view, peer, fresh));
  if (decision.verdict == Decision::Verdict::routed) check_routed(decision, head.target);
  return 0;
}
