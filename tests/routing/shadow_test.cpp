#include "routing/explain.hpp"
#include "routing/listing.hpp"
#include "routing/route_tests.hpp"
#include "tests/routing/rules.hpp"

namespace segue::routing {
namespace {

using Shadow = Decision::Shadow;

constexpr std::uint32_t kLegacy = 0;  // of two_backends()
constexpr std::uint32_t kNew = 1;

std::pair<std::string, std::string> of_user(int user) {
  return {"cookie", "uid=u" + std::to_string(user)};
}

TEST_CASE("a copy of a safe request may go to the backend that the route names") {
  const auto table = table_of({prefix("all", "/").shadow("new"), path("plain", "/plain")});
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
    INFO(method);
    const Decided decided(*table, {"/x", method});
    CHECK(decided->backend == kLegacy);
    CHECK(decided->shadow == Shadow::chosen);
    CHECK(decided->shadow_backend == kNew);
  }
  CHECK(Decided(*table, {"/plain"})->shadow == Shadow::none);
  CHECK(Decided(*table, {"/%zz"})->shadow == Shadow::none);
}

TEST_CASE("no unsafe request is copied unless the route says where its writes go") {
  const auto table = table_of({prefix("reads", "/reads").shadow("new"),
                               prefix("writes", "/writes").shadow("new", "a scratch database")});
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "get", "PURGE"}) {
    INFO(method);
    CHECK(Decided(*table, {"/reads", method})->shadow == Shadow::unsafe_method);
    const Decided stated(*table, {"/writes", method});
    CHECK(stated->shadow == Shadow::chosen);
    CHECK(stated->shadow_backend == kNew);
  }
}

TEST_CASE("a copy to the other arm goes to the one that the split did not choose") {
  const auto table = table_of({path("p", "/x").split(50, "cookie:uid").shadow("other")});
  int to_new = 0;
  for (int user = 0; user < 200; ++user) {
    const Decided decided(*table, {"/x", "GET", "localhost", {of_user(user)}});
    CHECK(decided->shadow == Shadow::chosen);
    CHECK(decided->shadow_backend == (decided->backend == kNew ? kLegacy : kNew));
    to_new += decided->shadow_backend == kNew ? 1 : 0;
  }
  CHECK(to_new > 50);
  CHECK(to_new < 150);
  CHECK(Decided(*table, {"/x"})->shadow_backend == kNew);  // without a key it goes to legacy
}

TEST_CASE("a named backend gets no copy of the requests that a split sends to it") {
  const auto table = table_of({path("p", "/x").split(50, "cookie:uid").shadow("new")});
  for (int user = 0; user < 50; ++user) {
    const Decided decided(*table, {"/x", "GET", "localhost", {of_user(user)}});
    CHECK(decided->shadow == (decided->backend == kNew ? Shadow::same_backend : Shadow::chosen));
  }
}

TEST_CASE("a third backend may get the copies of both arms") {
  const std::vector<BackendRule> backends{
      {"canary", "canary"}, {"legacy", "legacy"}, {"new", "new"}};
  const std::vector<RouteRule> rules{path("p", "/x").split(50, "cookie:uid").shadow("canary")};
  const auto result = RouteTable::compile(rules, backends);
  REQUIRE(result.table != nullptr);
  for (int user = 0; user < 50; ++user) {
    const Decided decided(*result.table, {"/x", "GET", "localhost", {of_user(user)}});
    CHECK(decided->shadow == Shadow::chosen);
    CHECK(decided->shadow_backend == 0);
  }
}

std::string refused(const RouteRule& rule) {
  const auto result = compile({rule});
  REQUIRE(result.problems.size() == 1);
  CHECK_FALSE(result.problems[0].message.empty());
  CHECK_FALSE(result.problems[0].fix.empty());
  return result.problems[0].code + ' ' + result.problems[0].key;
}

TEST_CASE("a shadow that could never be what was meant is refused") {
  CHECK(refused(path("r", "/x").shadow("nowhere")) == "E044 routes.r.shadow.to");
  CHECK(refused(path("r", "/x").shadow("")) == "E044 routes.r.shadow.to");
  CHECK(refused(path("r", "/x").shadow("legacy")) == "E061 routes.r.shadow.to");
  CHECK(refused(path("r", "/x").shadow("other")) == "E062 routes.r.shadow.to");
  CHECK(refused(path("r", "/x").methods({"GET", "POST"}).shadow("new")) == "E063 routes.r.shadow");
  CHECK(compile({path("r", "/x").methods({"GET", "POST"}).shadow("new", "scratch")}).table);
  CHECK(compile({path("r", "/x").methods({"GET", "HEAD", "OPTIONS"}).shadow("new")}).table);
}

TEST_CASE("the version covers where copies go and of what, not how `writes` words it") {
  const std::string none(table_of({path("r", "/x")})->version());
  const std::string to_new(table_of({path("r", "/x").shadow("new")})->version());
  const std::string writes(table_of({path("r", "/x").shadow("new", "scratch")})->version());
  const std::string worded(table_of({path("r", "/x").shadow("new", "elsewhere")})->version());
  CHECK(none != to_new);
  CHECK(to_new != writes);
  CHECK(writes == worded);
  const std::string other(table_of({path("r", "/x").split(10, "peer").shadow("other")})->version());
  CHECK(other != table_of({path("r", "/x").split(10, "peer").shadow("new")})->version());
}

std::string shadow_in_test(const RouteTable& table, std::string method,
                           std::optional<std::string> key = {}) {
  TestCase test;
  test.method = std::move(method);
  test.target = "/x";
  test.key = std::move(key);
  test.shadow = "?";
  const std::vector<TestCase> tests{test};
  const auto results = run_tests(table, tests);
  REQUIRE(results[0].assertions.size() == 1);
  CHECK(results[0].assertions[0].what == "shadow");
  return results[0].assertions[0].got;
}

TEST_CASE("tests of routes say where a copy would go, by the key where a split decides") {
  const auto table = table_of({path("r", "/x").shadow("new")});
  CHECK(shadow_in_test(*table, "GET") == "new");
  CHECK(shadow_in_test(*table, "POST") == "none");
  CHECK(shadow_in_test(*table_of({path("r", "/y")}), "GET") == "none");
  const auto split = table_of({path("r", "/x").split(50, "cookie:uid").shadow("other")});
  const auto named = table_of({path("r", "/x").split(50, "cookie:uid").shadow("new")});
  for (int user = 0; user < 50; ++user) {
    const auto key = "u" + std::to_string(user);
    const Decided decided(*split, {"/x", "GET", "h", {of_user(user)}});
    const bool is_new = decided->backend == kNew;
    CHECK(shadow_in_test(*split, "GET", key) == (is_new ? "legacy" : "new"));
    CHECK(shadow_in_test(*named, "GET", key) == (is_new ? "none" : "new"));
  }
}

TEST_CASE("explain and the list name the shadow") {
  const auto table = table_of({path("r", "/x").shadow("new"), path("s", "/y")});
  const auto explained = [&](std::string_view method, std::string_view target) {
    return explain(*table, {method, "http", "localhost", target, {}}, Peer{"192.0.2.1"});
  };
  CHECK(explained("GET", "/x").shadow == Shadow::chosen);
  CHECK(explained("GET", "/x").shadow_backend == "new");
  CHECK(explained("POST", "/x").shadow == Shadow::unsafe_method);
  CHECK(explained("POST", "/x").shadow_backend.empty());
  CHECK(explained("GET", "/y").shadow == Shadow::none);
  const auto rows = list_routes(*table, {});
  REQUIRE(rows.size() == 2);
  for (const auto& row : rows) CHECK(row.shadow == (row.name == "r" ? "new" : ""));
}

}  // namespace
}  // namespace segue::routing
