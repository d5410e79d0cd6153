#include "tests/routing/rules.hpp"

namespace segue::routing {
namespace {

TEST_CASE("a template matches whole segments and nothing else") {
  const auto table = table_of({path("list", "/searches"), path("item", "/searches/{id}"),
                               path("slash", "/slashed/"), path("root", "/")});
  CHECK(answer(*table, {"/searches"}) == "list");
  CHECK(answer(*table, {"/searches/"}) == "404");  // {id} is never empty
  CHECK(answer(*table, {"/searches/42"}) == "item");
  CHECK(answer(*table, {"/searches/42/"}) == "404");
  CHECK(answer(*table, {"/searches2"}) == "404");
  CHECK(answer(*table, {"/Searches"}) == "404");
  CHECK(answer(*table, {"/slashed/"}) == "slash");
  CHECK(answer(*table, {"/slashed"}) == "404");
  CHECK(answer(*table, {"/"}) == "root");
  CHECK(answer(*table, {"/?x=1"}) == "root");
}

TEST_CASE("a prefix ends at a segment") {
  const auto table = table_of({prefix("geo", "/geo")});
  CHECK(answer(*table, {"/geo"}) == "geo");
  CHECK(answer(*table, {"/geo/"}) == "geo");
  CHECK(answer(*table, {"/geo/be/gent"}) == "geo");
  CHECK(answer(*table, {"/geography"}) == "404");
}

TEST_CASE("a rest parameter takes what follows its slash, decoded") {
  const auto table = table_of({path("files", "/files/{path...}")});
  CHECK(answer(*table, {"/files"}) == "404");
  CHECK(Decided(*table, {"/files/"}).parameter("path").empty());
  CHECK(Decided(*table, {"/files/a/b%20c/"}).parameter("path") == "a/b c/");
  CHECK(Decided(*table, {"/files/a/b"}).parameter("path") == "a/b");
}

TEST_CASE("a parameter is the percent-decoded segment") {
  const auto table = table_of({path("item", "/items/{id}"), path("cafe", "/café/{x:[a-z ]+}")});
  CHECK(Decided(*table, {"/items/caf%C3%A9%20au"}).parameter("id") == "café au");
  CHECK(Decided(*table, {"/items/a+b"}).parameter("id") == "a+b");  // no space in a path
  CHECK(Decided(*table, {"/caf%c3%a9/a%20b"}).parameter("x") == "a b");
}

TEST_CASE("a literal of a template may be written escaped") {
  const auto table = table_of({path("item", "/a%20b/c")});
  CHECK(answer(*table, {"/a%20b/c"}) == "item");
}

TEST_CASE("an expression may hold braces and slashes without cutting the template") {
  const auto table = table_of({path("year", "/y/{y:[0-9]{4}}/{m:[^/{}]{1,2}}/x")});
  CHECK(answer(*table, {"/y/2024/11/x"}) == "year");
  CHECK(answer(*table, {"/y/20245/11/x"}) == "404");
}

TEST_CASE("expressions are anchored at both ends") {
  const auto table = table_of({path("id", "/{id:[0-9]+|latest}"),
                               regex("report", "/r/[0-9]{4}").under("/r")});
  CHECK(answer(*table, {"/42"}) == "id");
  CHECK(answer(*table, {"/latest"}) == "id");
  CHECK(answer(*table, {"/42x"}) == "404");
  CHECK(answer(*table, {"/xlatest"}) == "404");
  CHECK(answer(*table, {"/r/2024"}) == "report");
  CHECK(answer(*table, {"/r/2024/x"}) == "404");
}

TEST_CASE("path rank goes left to right: literal, expression, parameter, rest") {
  const auto table = table_of({path("literal", "/a/b"), path("expression", "/a/{p:[a-z]+}"),
                               path("parameter", "/a/{p}"), prefix("rest", "/a"),
                               regex("whole", "/a/[0-9/]*").under("/a"),
                               path("late", "/{p}/b"), path("exact", "/a")});
  CHECK(answer(*table, {"/a/b"}) == "literal");
  CHECK(answer(*table, {"/a/c"}) == "expression");
  CHECK(answer(*table, {"/a/1"}) == "parameter");
  CHECK(answer(*table, {"/a/1/2"}) == "whole");  // just ahead of the plain prefix
  CHECK(answer(*table, {"/a/1/x"}) == "rest");
  CHECK(answer(*table, {"/c/b"}) == "late");
  CHECK(answer(*table, {"/a"}) == "exact");  // ending beats continuing
}

TEST_CASE("a literal that leads nowhere falls back to the parameter beside it") {
  const auto table = table_of({path("deep", "/a/b/c"), path("wide", "/{x}/b/d")});
  CHECK(answer(*table, {"/a/b/d"}) == "wide");
}

TEST_CASE("host rank comes before path rank: exact, longer wildcard, shorter wildcard, any") {
  const auto table = table_of({prefix("exact", "/").host("api.shop.example"),
                               prefix("long", "/").host("*.shop.example"),
                               prefix("short", "/").host("*.example"), path("any", "/x")});
  CHECK(answer(*table, {"/x", "GET", "api.shop.example"}) == "exact");
  CHECK(answer(*table, {"/x", "GET", "www.shop.example"}) == "long");
  CHECK(answer(*table, {"/x", "GET", "a.b.shop.example"}) == "long");
  CHECK(answer(*table, {"/x", "GET", "shop.example"}) == "short");
  CHECK(answer(*table, {"/x", "GET", "example"}) == "any");
  CHECK(answer(*table, {"/x", "GET", "badshop.example.org"}) == "any");
}

TEST_CASE("host names ignore case, port and the dot at the end") {
  const auto table = table_of({prefix("shop", "/").host("Shop.Example"),
                               prefix("six", "/").host("[::1]")});
  CHECK(answer(*table, {"/", "GET", "SHOP.example:8443"}) == "shop");
  CHECK(answer(*table, {"/", "GET", "shop.example."}) == "shop");
  CHECK(answer(*table, {"/", "GET", "[::1]:80"}) == "six");
  CHECK(answer(*table, {"/", "GET", "[::1]"}) == "six");
  CHECK(answer(*table, {"/", "GET", ""}) == "404");
}

TEST_CASE("when the better host does not match the rest, a worse one may") {
  const auto table = table_of({path("post", "/x").host("a.example").methods({"POST"}),
                               path("any", "/x")});
  CHECK(answer(*table, {"/x", "GET", "a.example"}) == "any");
}

TEST_CASE("the narrower route wins, and its conditions are exact, present or an expression") {
  const auto table = table_of({path("plain", "/x"), path("present", "/x").header_present("x-a"),
                               path("digits", "/x").header_regex("x-a", "[0-9]+"),
                               path("one", "/x").header("X-A", "1")});
  CHECK(answer(*table, {"/x"}) == "plain");
  CHECK(answer(*table, {"/x", "GET", "h", {{"x-a", ""}}}) == "present");
  CHECK(answer(*table, {"/x", "GET", "h", {{"X-a", "22"}}}) == "digits");
  CHECK(answer(*table, {"/x", "GET", "h", {{"x-A", "1"}}}) == "one");
  CHECK(answer(*table, {"/x", "GET", "h", {{"x-a", "z"}, {"x-a", "1"}}}) == "present");
}

TEST_CASE("the first value of a repeated header or query name counts") {
  const auto table = table_of({path("plain", "/x"), path("q", "/x").query("a", "1"),
                               path("h", "/y").header("b", "1")});
  CHECK(answer(*table, {"/x?a=1&a=2"}) == "q");
  CHECK(answer(*table, {"/x?a=2&a=1"}) == "plain");
  CHECK(answer(*table, {"/y", "GET", "h", {{"b", "2"}, {"b", "1"}}}) == "404");
}

TEST_CASE("query names and values are decoded, and a plus is a space") {
  const auto table = table_of({path("q", "/x").query("a b", "c d&e"),
                               path("flag", "/f").query_present("flag")});
  CHECK(answer(*table, {"/x?a+b=c+d%26e"}) == "q");
  CHECK(answer(*table, {"/x?a%20b=c%20d%26e"}) == "q");
  CHECK(answer(*table, {"/x?a+b=c+d&e"}) == "404");
  CHECK(answer(*table, {"/f?x=1&flag"}) == "flag");
  CHECK(answer(*table, {"/f?flag="}) == "flag");
  CHECK(answer(*table, {"/f?flags=1"}) == "404");
  CHECK(answer(*table, {"/f?flag=100%"}) == "flag");  // broken escapes in a query are left alone
}

TEST_CASE("methods are exact, and GET does not imply HEAD") {
  const auto table = table_of({path("get", "/x").methods({"GET"}), path("own", "/y").methods({"PURGE"})});
  CHECK(answer(*table, {"/x", "GET"}) == "get");
  CHECK(answer(*table, {"/x", "HEAD"}) == "404");
  CHECK(answer(*table, {"/x", "get"}) == "404");
  CHECK(answer(*table, {"/y", "PURGE"}) == "own");
  CHECK(answer(*table, {"/y", "BREW"}) == "404");
}

TEST_CASE("a scheme condition separates http from https") {
  const auto table = table_of({path("any", "/x"), path("tls", "/x").scheme("https")});
  CHECK(answer(*table, {"/x", "GET", "h", {}, "https"}) == "tls");
  CHECK(answer(*table, {"/x", "GET", "h", {}, "http"}) == "any");
}

TEST_CASE("trailing_slash: ignore matches with and without the slash") {
  const auto table = table_of({path("loose", "/a/{id}").ignore_slash(),
                               path("slashed", "/b/").ignore_slash()});
  const Decided slash(*table, {"/a/1/"});
  CHECK(slash.answer() == "loose");
  CHECK(slash.parameter("id") == "1");
  CHECK(answer(*table, {"/a/1"}) == "loose");
  CHECK(answer(*table, {"/a/"}) == "404");
  CHECK(answer(*table, {"/a/1//"}) == "400 confusion");
  CHECK(answer(*table, {"/b"}) == "slashed");
  CHECK(answer(*table, {"/b/"}) == "slashed");
}

TEST_CASE("before decides a tie") {
  const auto table = table_of({path("a", "/x").header_present("one").before({"b"}),
                               path("b", "/x").header_present("two")});
  CHECK(answer(*table, {"/x", "GET", "h", {{"one", "1"}, {"two", "1"}}}) == "a");
  CHECK(answer(*table, {"/x", "GET", "h", {{"two", "1"}}}) == "b");
}

TEST_CASE("OPTIONS * belongs to the gateway and is never routed") {
  const auto table = table_of({prefix("all", "/")});
  CHECK(answer(*table, {"*", "OPTIONS"}) == "404");
}

TEST_CASE("a table without routes answers nothing") {
  const auto table = table_of({});
  CHECK(answer(*table, {"/"}) == "404");
  CHECK(answer(*table, {"/a%00"}) == "400 target");
}

TEST_CASE("the account id comes from the route's key source") {
  const auto table = table_of({path("c", "/c/{who}").account("path:who"),
                               path("q", "/q").account("query:u"),
                               path("h", "/h").account("header:X-User"),
                               path("p", "/p").account("peer"),
                               path("j", "/j").account("jwt:authorization/sub")});
  CHECK(Decided(*table, {"/c/al%20ice"})->account_id == "al ice");
  CHECK(Decided(*table, {"/q?u=a+b"})->account_id == "a b");
  CHECK(Decided(*table, {"/h", "GET", "h", {{"x-user", "ann"}}})->account_id == "ann");
  CHECK(Decided(*table, {"/h"})->account_id.empty());
  CHECK(Decided(*table, {"/p"})->account_id == "192.0.2.1");
  // {"alg":"none"} . {"sub":"c-17","n":1}
  const Decided jwt(*table, {"/j", "GET", "h",
                             {{"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJjLTE3IiwibiI6MX0."}}});
  CHECK(jwt->account_id == "c-17");
}

TEST_CASE("the version follows what is routed, not how it is written") {
  const auto base = table_of({path("a", "/a").methods({"GET", "HEAD"}).header("x", "1").header("y", "1"), prefix("b", "/")});
  const auto same = table_of({prefix("b", "/"), path("a", "/a").methods({"HEAD", "GET"}).header("Y", "1").header("x", "1")});
  const auto other = table_of({prefix("b", "/"), path("a", "/a").methods({"HEAD", "GET"}).header("y", "2").header("x", "1")});
  CHECK(base->version() == same->version());
  CHECK(base->version() != other->version());
  CHECK(base->version().find_first_not_of("0123456789abcdef") == std::string_view::npos);
}

}  // namespace
}  // namespace segue::routing
