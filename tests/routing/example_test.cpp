#include "tests/routing/example_rules.hpp"

namespace segue::routing {
namespace {

TEST_CASE("the example of the manual routes as its tests say") {
  const auto table = table_of(example_rules());
  CHECK(answer(*table, {"/"}) == "catch-all");
  CHECK(answer(*table, {"/searches/42"}) == "search-read");
  CHECK(answer(*table, {"/searches/abc"}) == "catch-all");
  CHECK(answer(*table, {"/searches/42", "DELETE"}) == "catch-all");
  CHECK(answer(*table, {"/searches", "POST"}) == "search-create");
  CHECK(answer(*table, {"/geography"}) == "catch-all");
  CHECK(answer(*table, {"/geo"}) == "geo");
  CHECK(answer(*table, {"/exports/2024.csv"}) == "exports");
  const Decided beta(*table, {"/searches/42", "GET", "localhost", {{"X-Beta", "1"}}});
  CHECK(beta.answer() == "search-beta");
  CHECK(beta->backend == 1);
  CHECK(beta.parameter("id") == "42");
  const Decided geo(*table, {"/geo/be/gent?x=1"});
  CHECK(geo->upstream_target == "/v1/geo/be/gent?x=1");
}

TEST_CASE("the table knows its routes by name and the headers that decide") {
  const auto table = table_of(example_rules());
  REQUIRE(table->routes().size() == 6);
  CHECK(table->routes()[0].name == "catch-all");
  CHECK(table->routes()[5].name == "search-read");
  CHECK(table->routes()[5].index == 5);
  CHECK(table->routes()[5].path_template == "/searches/{id:[0-9]+}");
  REQUIRE(table->decision_headers().size() == 1);
  CHECK(table->decision_headers()[0] == "x-beta");
  CHECK(table->version().size() == 12);
}

TEST_CASE("a user keeps the arm of the split, and a request without the key goes where told") {
  const auto table = table_of(example_rules());
  const Decided missing(*table, {"/searches/42"});
  CHECK(missing->bucket == -1);
  CHECK(missing->backend == 0);
  int moved = 0;
  for (int user = 0; user < 2000; ++user) {
    const auto cookie = "theme=dark; uid=u" + std::to_string(user);
    const Decided first(*table, {"/searches/42", "GET", "localhost", {{"cookie", cookie}}});
    const Decided later(*table, {"/searches/7", "HEAD", "localhost", {{"cookie", cookie}}});
    CHECK(first->bucket >= 0);
    CHECK(first->bucket == later->bucket);
    CHECK(first->backend == (first->bucket < 1000 ? 1U : 0U));
    CHECK(first->account_id == "u" + std::to_string(user));
    moved += first->backend == 1 ? 1 : 0;
  }
  CHECK(moved > 140);
  CHECK(moved < 260);
}

}  // namespace
}  // namespace segue::routing
