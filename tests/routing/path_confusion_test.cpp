#include "tests/routing/rules.hpp"

namespace segue::routing {
namespace {

std::unique_ptr<const RouteTable> guarded_table() {
  return table_of({prefix("public", "/public"), prefix("admin", "/admin"),
                   path("item", "/items/{id}"), path("files", "/files/{path...}"),
                   prefix("moved", "/moved").rewrite_prefix("/v1/moved")});
}

TEST_CASE("dots are resolved for routing while the raw bytes are forwarded") {
  const auto table = guarded_table();
  const Decided inside(*table, {"/public/a/../b"});
  CHECK(inside.answer() == "public");
  CHECK(inside->upstream_target == "/public/a/../b");
  CHECK(answer(*table, {"/public/./x"}) == "public");
  CHECK(answer(*table, {"/public/a/%2e%2E/b"}) == "public");
}

TEST_CASE("a path that another reader would send to another route is refused") {
  const auto table = guarded_table();
  for (const char* target : {
           "/public/../admin",      "/public/%2e%2e/admin", "/public/.%2e/admin",
           "/public/%2e./admin/x",  "/public/..%2fadmin",   "/public/..%2Fadmin",
           "/public%2f..%2fadmin",  "/public/..;/admin",    "/public/..;v=1/admin",
           "/public/%2e%2e;/admin", "//admin",              "//public/x",
           "/items/a%2fb",          "/public/..//admin",    "/items//x",
           "/items/x/../y",         "/items/1%2f..%2f2%2f3", "/nowhere%2f..%2fadmin",
       }) {
    INFO(target);
    CHECK(answer(*table, {target}) == "400 confusion");
  }
}

TEST_CASE("quirks that no reading turns into another route are forwarded as they are") {
  const auto table = guarded_table();
  for (const char* target : {"/public//a", "/public/a%2fb", "/public/a;v=1/b", "/files/a%2Fb",
                             "/public/a//..//b", "/public/...", "/public/.well-known/x"}) {
    INFO(target);
    const Decided decided(*table, {target});
    CHECK(decided->verdict == Decision::Verdict::routed);
    CHECK(decided->upstream_target == target);
  }
  CHECK(answer(*table, {"/items/a%20b"}) == "item");
  CHECK(answer(*table, {"/items/%41"}) == "item");
  CHECK(answer(*table, {"/items/..."}) == "item");
}

TEST_CASE("a target that no server should see is bad, whatever the routes are") {
  const auto table = guarded_table();
  for (const char* target :
       {"/public/#x", "/public?a#b", "/public/%00", "/public?a=%00", "/public/%", "/public/%4",
        "/public/%zz", "/..", "/../admin", "/public/../../admin", "/%2e%2e/admin",
        "/public/..%2f..%2fadmin", "/..;/admin", "/public/..;/..;/x", "", "public",
        "http://example/"}) {
    INFO(target);
    CHECK(answer(*table, {target}) == "400 target");
  }
}

TEST_CASE("a rewritten path must be canonical, for its bytes are not forwarded as they are") {
  const auto table = guarded_table();
  CHECK(Decided(*table, {"/moved/a?x=%2f.."})->upstream_target == "/v1/moved/a?x=%2f..");
  for (const char* target : {"/moved/a/../b", "/moved/%2e/b", "/moved//b", "/moved/a%2fb",
                             "/moved/a/..;/b", "/moved/."}) {
    INFO(target);
    CHECK(answer(*table, {target}) == "400 confusion");
  }
  CHECK(answer(*table, {"/moved/a%20b;c=d"}) == "moved");
}

TEST_CASE("a rewrite replaces a prefix and keeps the raw rest and the query") {
  const auto table = table_of({prefix("geo", "/geo").rewrite_prefix("/v1/geo"),
                               prefix("strip", "/api").rewrite_prefix("/"),
                               prefix("all", "/").rewrite_prefix("/base/")});
  const auto sent = [&](const char* target) {
    return std::string(Decided(*table, {target})->upstream_target);
  };
  CHECK(sent("/geo") == "/v1/geo");
  CHECK(sent("/geo/") == "/v1/geo/");
  CHECK(sent("/geo/b%20e?q=%41") == "/v1/geo/b%20e?q=%41");
  CHECK(sent("/%67eo/x") == "/v1/geo/x");
  CHECK(sent("/api") == "/");
  CHECK(sent("/api/x/") == "/x/");
  CHECK(sent("/api?x") == "/?x");
  CHECK(sent("/other/x") == "/base/other/x");
  CHECK(sent("/") == "/base/");
}

TEST_CASE("a rewrite by template puts the raw parameters into a new path") {
  const auto table = table_of(
      {path("item", "/items/{id}/{name:[a-z é]+}").rewrite_path("/v2/{name}/i-{id}.json"),
       path("files", "/files/{a}/{rest...}").rewrite_path("/store/{rest...}/by/{a}")});
  CHECK(Decided(*table, {"/items/a%20b/caf%C3%A9?x=1"})->upstream_target ==
        "/v2/caf%C3%A9/i-a%20b.json?x=1");
  CHECK(Decided(*table, {"/files/1/x/y%20z"})->upstream_target == "/store/x/y%20z/by/1");
}

}  // namespace
}  // namespace segue::routing
