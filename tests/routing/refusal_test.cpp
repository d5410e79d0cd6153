#include <algorithm>

#include "tests/routing/example_rules.hpp"

namespace segue::routing {
namespace {

// The problems as "CODE key", in their order.
std::vector<std::string> codes(const std::vector<RouteRule>& rules) {
  std::vector<std::string> list;
  const auto result = compile(rules);
  for (const auto& problem : result.problems) {
    list.push_back(problem.code + ' ' + problem.key);
    CHECK_FALSE(problem.message.empty());
  }
  CHECK((result.table == nullptr) == !result.problems.empty());
  return list;
}

std::string only(const RouteRule& rule) {
  const auto list = codes({rule});
  REQUIRE(list.size() == 1);
  return list.front();
}

TEST_CASE("a path that cannot be read is refused where it stands") {
  CHECK(only(path("r", "x")) == "E030 routes.r.match.path");
  CHECK(only(path("r", "/x?y=1")) == "E030 routes.r.match.path");
  CHECK(only(path("r", "/x%zz")) == "E030 routes.r.match.path");
  CHECK(only(prefix("r", "x")) == "E030 routes.r.match.prefix");
  CHECK(only(path("r", "/{}")) == "E031 routes.r.match.path");
  CHECK(only(path("r", "/{a b}")) == "E031 routes.r.match.path");
  CHECK(only(path("r", "/{id")) == "E031 routes.r.match.path");
  CHECK(only(path("r", "/{id:}")) == "E031 routes.r.match.path");
  CHECK(only(path("r", "/{name}.json")) == "E032 routes.r.match.path");
  CHECK(only(path("r", "/{a}{b}")) == "E032 routes.r.match.path");
  CHECK(only(path("r", "/{rest...}/x")) == "E033 routes.r.match.path");
  CHECK(only(path("r", "/{a}/{a}")) == "E034 routes.r.match.path");
  CHECK(only(path("r", "/{a}/{a...}")) == "E034 routes.r.match.path");
}

TEST_CASE("an expression that RE2 cannot read or that grows too large is refused") {
  CHECK(only(path("r", "/{id:[0-9}")) == "E031 routes.r.match.path");  // never closed
  CHECK(only(path("r", "/{id:(a}")) == "E035 routes.r.match.path");
  CHECK(only(path("r", "/{id:(?=a)}")) == "E035 routes.r.match.path");
  CHECK(only(path("r", "/{id:[a-z]{1,900}}")) == "E036 routes.r.match.path");
  CHECK(only(path("r", "/{id:[a-z]{2000}}")) == "E036 routes.r.match.path");
  CHECK(only(regex("r", "/(").under("/")) == "E035 routes.r.match.regex");
  CHECK(only(path("r", "/x").header_regex("a", "(")) == "E035 routes.r.match.header.a");
}

TEST_CASE("a path that no request could reach is refused") {
  CHECK(only(path("r", "/a//b")) == "E037 routes.r.match.path");
  CHECK(only(path("r", "/a/../b")) == "E037 routes.r.match.path");
  CHECK(only(path("r", "/a/%2e/b")) == "E037 routes.r.match.path");
  CHECK(only(path("r", "/a%2Fb")) == "E037 routes.r.match.path");
  CHECK(only(path("r", "/a%00")) == "E037 routes.r.match.path");
}

TEST_CASE("prefixes are literal and end at a segment") {
  CHECK(only(prefix("r", "/a/")) == "E038 routes.r.match.prefix");
  CHECK(only(prefix("r", "/a/{b}")) == "E038 routes.r.match.prefix");
  CHECK(only(regex("r", "/a.*")) == "E039 routes.r.match.regex");
  CHECK(only(path("r", "/a").under("/")) == "E039 routes.r.match.path");
  CHECK(only(regex("r", "/a.*").under("/").ignore_slash()) == "E039 routes.r.match.regex");
}

TEST_CASE("hosts, methods, schemes and conditions are checked") {
  CHECK(only(path("r", "/x").host("a.example:80")) == "E040 routes.r.match.host");
  CHECK(only(path("r", "/x").host("a*.example")) == "E040 routes.r.match.host");
  CHECK(only(path("r", "/x").host("*.")) == "E040 routes.r.match.host");
  CHECK(only(path("r", "/x").methods({"get"})) == "E041 routes.r.match.method");
  CHECK(only(path("r", "/x").methods({"G T"})) == "E041 routes.r.match.method");
  CHECK(only(path("r", "/x").header("a b", "1")) == "E042 routes.r.match.header");
  CHECK(only(path("r", "/x").header("a", "1").header("A", "2")) == "E042 routes.r.match.header.a");
  CHECK(only(path("r", "/x").header("Host", "a")) == "E042 routes.r.match.header.host");
  CHECK(only(path("r", "/x").query("a", "1").query("a", "2")) == "E042 routes.r.match.query.a");
  CHECK(only(path("r", "/x").scheme("ftp")) == "E043 routes.r.match.scheme");
}

TEST_CASE("a route must lead to a backend that exists") {
  CHECK(only(path("r", "/x").to("nowhere")) == "E044 routes.r.to");
  CHECK(only(path("r", "/x").to("")) == "E045 routes.r");
  CHECK(only(path("r", "/x").split(10, "peer").to("new")) == "E045 routes.r");
}

TEST_CASE("a split needs a key, and one backend for each role") {
  RouteRule rule = path("r", "/x").split(10, "peer");
  rule.split->key = {};
  CHECK(only(rule) == "E046 routes.r.sticky.key");
  rule = path("r", "/x").split(10, "path:id");
  CHECK(only(rule) == "E048 routes.r.sticky.key");
  CHECK(only(path("r", "/x").account("path:id")) == "E048 routes.r.record.key");
  rule.split->key = *KeySource::parse("peer");
  rule.split->new_share = 10'001;
  CHECK(only(rule) == "E059 routes.r.split");
  rule.split->new_share = 10'000;
  const std::vector<BackendRule> one{{"legacy", "legacy"}};
  const std::vector<BackendRule> three{{"legacy", "legacy"}, {"go", "new"}, {"rust", "new"}};
  const std::vector<RouteRule> rules{rule};
  CHECK(RouteTable::compile(rules, one).problems.at(0).code == "E047");
  CHECK(RouteTable::compile(rules, three).problems.at(0).code == "E047");
}

TEST_CASE("a rewrite must be possible") {
  CHECK(only(path("r", "/{a}").rewrite_path("/{b}")) == "E049 routes.r.rewrite.path");
  CHECK(only(prefix("r", "/a").rewrite_path("/{rest}")) == "E049 routes.r.rewrite.path");
  CHECK(only(path("r", "/{a}").rewrite_path("{a}")) == "E050 routes.r.rewrite.path");
  CHECK(only(path("r", "/{a}").rewrite_path("/{a")) == "E050 routes.r.rewrite.path");
  CHECK(only(prefix("r", "/a").rewrite_prefix("/b?c")) == "E050 routes.r.rewrite.prefix");
  CHECK(only(prefix("r", "/a").rewrite_prefix("/b c")) == "E050 routes.r.rewrite.prefix");
  CHECK(only(path("r", "/a").rewrite_prefix("/b")) == "E051 routes.r.rewrite.prefix");
}

TEST_CASE("`before` must name a route that it can tie with") {
  CHECK(only(path("r", "/x").before({"nobody"})) == "E052 routes.r.before");
  CHECK(only(path("r", "/x").before({"r"})) == "E052 routes.r.before");
  CHECK(codes({path("a", "/x").before({"b"}), path("b", "/y")}) ==
        std::vector<std::string>{"E053 routes.a.before"});
  CHECK(codes({prefix("a", "/").before({"b"}), path("b", "/y")}) ==
        std::vector<std::string>{"E054 routes.a.before"});
  CHECK(codes({path("b", "/y").before({"a"}), prefix("a", "/")}).empty());  // says what holds
}

TEST_CASE("cycles of `before` are refused, also through narrower conditions") {
  CHECK(codes({path("a", "/x").header_present("h1").before({"b"}),
               path("b", "/x").header_present("h2").before({"c"}),
               path("c", "/x").header_present("h3").before({"a"})}) ==
        std::vector<std::string>{"E055 routes.a.before"});
  // n is narrower than w; w before m, m before n.
  CHECK(codes({path("n", "/x").header_present("h1").header_present("h2"),
               path("w", "/x").header_present("h1").before({"m"}),
               path("m", "/x").header_present("h3").before({"n"})}) ==
        std::vector<std::string>{"E055 routes.m.before"});
}

TEST_CASE("a tie is refused with a request that shows it and a fix to paste") {
  const auto result =
      compile({path("a", "/x/{id:[0-9]+}").header("x-beta", "1").host("*.shop.example"),
               path("b", "/x/{id:[0-9]+}").query("q", "a b").methods({"POST"}).host("*.shop.example")});
  REQUIRE(result.problems.size() == 1);
  const auto& tie = result.problems[0];
  CHECK(tie.code == "E056");
  CHECK(tie.key == "routes.a");
  CHECK(tie.message.find("'a' and 'b' tie: matched by both: POST /x/") != std::string::npos);
  CHECK(tie.message.find("?q=a%20b with x-beta: 1, Host: a.shop.example") != std::string::npos);
  CHECK(tie.fix.find("before: b") != std::string::npos);
}

TEST_CASE("routes that differ only in name tie") {
  CHECK(codes({path("a", "/x"), path("b", "/x")}) == std::vector<std::string>{"E056 routes.a"});
  CHECK(codes({path("a", "/{x}"), path("b", "/{y}")}) == std::vector<std::string>{"E056 routes.a"});
  CHECK(codes({prefix("a", "/x"), path("b", "/x/{y...}")}) ==
        std::vector<std::string>{"E056 routes.a"});
  CHECK(codes({path("a", "/x").ignore_slash(), path("b", "/x/")}) ==
        std::vector<std::string>{"E056 routes.a"});
}

TEST_CASE("two expressions count as a tie unless they are proven apart") {
  CHECK(codes({path("a", "/{x:[0-9]+}"), path("b", "/{x:[a-z]+}")}).empty());
  CHECK(codes({path("a", "/{x:[0-9]+}"), path("b", "/{x:[0-9a-f]+}")}) ==
        std::vector<std::string>{"E056 routes.a"});
  // Disjoint, but not provably so: the message says that no example was found.
  const auto result = compile({path("a", "/{x:a[0-9]+b}"), path("b", "/{x:a[0-9]+c}")});
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0].message.find("no example could be built") != std::string::npos);
}

TEST_CASE("conditions that exclude one another are no tie") {
  CHECK(codes({path("a", "/x").header("h", "1"), path("b", "/x").header("h", "2")}).empty());
  CHECK(codes({path("a", "/x").methods({"GET"}), path("b", "/x").methods({"PUT"})}).empty());
  CHECK(codes({path("a", "/x").scheme("http"), path("b", "/x").scheme("https")}).empty());
  CHECK(codes({path("a", "/x").header_regex("h", "[0-9]+"), path("b", "/x").header("h", "a")}).empty());
}

TEST_CASE("a route that others always win over is refused as unreachable") {
  CHECK(codes({path("a", "/x").before({"b"}), path("b", "/x")}) ==
        std::vector<std::string>{"E057 routes.b"});
  CHECK(codes({path("wide", "/{p}"), path("all", "/{p:.*}")}) ==
        std::vector<std::string>{"E057 routes.wide"});
  CHECK(codes({regex("all", "/a.*").under("/a"), prefix("hidden", "/a")}).empty());  // not proven
  CHECK(codes({regex("all", ".*").under("/a"), prefix("hidden", "/a")}) ==
        std::vector<std::string>{"E057 routes.hidden"});
  // Two routes may hide a third together, method by method.
  CHECK(codes({path("g", "/x").methods({"GET"}), path("p", "/x").methods({"POST"}),
               path("both", "/x").methods({"GET", "POST"})}) ==
        std::vector<std::string>{"E057 routes.both"});
  CHECK(codes({path("g", "/x").methods({"GET"}), path("any", "/x")}).empty());
}

TEST_CASE("names are needed once, and all problems come in one run") {
  CHECK(codes({path("r", "/x"), path("r", "/y")}) == std::vector<std::string>{"E058 routes.r"});
  const auto list = codes({path("a", "x").to("nowhere").methods({"get"}), path("b", "/{x").before({"z"}),
                           path("c", "/c"), path("d", "/c")});
  CHECK(list == std::vector<std::string>{"E041 routes.a.match.method", "E030 routes.a.match.path",
                                         "E044 routes.a.to", "E052 routes.b.before",
                                         "E031 routes.b.match.path", "E056 routes.c"});
}

TEST_CASE("limits are refused and not cut") {
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "/a";
  CHECK(only(path("r", deep)) == "E060 routes.r.match.path");
  CHECK(only(prefix("r", deep)) == "E060 routes.r.match.prefix");
  std::vector<std::string> methods;
  for (int i = 0; i < 64; ++i) methods.push_back("M" + std::to_string(i));
  CHECK(only(path("r", "/x").methods(methods)) == "E060 routes.r.match.method");
}

}  // namespace
}  // namespace segue::routing
