#include "routing/escapes.hpp"
#include "routing/explain.hpp"
#include "routing/listing.hpp"
#include "routing/location.hpp"
#include "routing/route_tests.hpp"
#include "tests/routing/rules.hpp"

namespace segue::routing {
namespace {

constexpr std::int32_t kNew = 1;  // of two_backends()

std::vector<std::string> codes(const std::vector<RouteRule>& rules) {
  std::vector<std::string> found;
  for (const Problem& problem : compile(rules).problems)
    found.push_back(problem.code + " " + problem.key);
  return found;
}

TEST_CASE("a fallback is decided unless it is where the request goes anyway") {
  const auto table = table_of({path("plain", "/plain"), path("safe", "/safe").fallback("new"),
                               path("split", "/split").split(50, "cookie:uid").fallback("new")});
  CHECK(Decided(*table, {"/plain"})->fallback == -1);
  CHECK(Decided(*table, {"/safe"})->fallback == kNew);
  int without = 0;
  for (int user = 0; user < 100; ++user) {
    const Decided decided(
        *table, {"/split", "GET", "a", {{"cookie", "uid=u" + std::to_string(user)}}});
    CHECK(decided->fallback == (decided->backend == 0 ? kNew : -1));
    without += decided->fallback == -1 ? 1 : 0;
  }
  CHECK(without > 20);
  CHECK(without < 80);
}

TEST_CASE("a fallback to the same backend or to none is refused") {
  CHECK(codes({path("a", "/a").fallback("legacy")}) ==
        std::vector<std::string>{"E064 routes.a.fallback"});
  CHECK(codes({path("a", "/a").fallback("nowhere")}) ==
        std::vector<std::string>{"E044 routes.a.fallback"});
}

TEST_CASE("what a redirect leads to is the request's path and query, or the template's") {
  const auto table = table_of(
      {prefix("host", "/host").redirect("", "b.example", ""),
       path("path", "/old/{id}/{rest...}").redirect("", "", "/new/{rest...}/{id}"),
       path("query", "/item/{id}").redirect("", "", "/items.php?id={id}&x=1"),
       prefix("gone", "/gone").respond(410)});
  const Decided host(*table, {"/host/a%20b?c=d"});
  CHECK(host->action == RouteAction::redirect);
  CHECK(host->upstream_target == "/host/a%20b?c=d");
  CHECK(Decided(*table, {"/old/a%2Cb/c/d?e=f"})->upstream_target == "/new/c/d/a%2Cb?e=f");
  // What the client adds to its own query is not the template's.
  CHECK(Decided(*table, {"/item/a&x=2+3?id=9"})->upstream_target ==
        "/items.php?id=a%26x%3D2%2B3&x=1");
  CHECK(Decided(*table, {"/item/a%0d%0ab"})->upstream_target == "/items.php?id=a%0d%0ab&x=1");
  const Decided gone(*table, {"/gone/x"});
  CHECK(gone->action == RouteAction::respond);
  CHECK(gone->fallback == -1);
}

TEST_CASE("a path that others read differently is not redirected by a template") {
  const auto table = table_of({path("a", "/a/{id}").redirect("", "", "/b/{id}")});
  CHECK(answer(*table, {"/a/x%2Fy"}) == "400 confusion");
  CHECK(answer(*table, {"/a/../a/x"}) == "400 confusion");
  CHECK(answer(*table, {"/a/x"}) == "a");
}

std::string location(std::string_view scheme, std::string_view authority,
                     const LocationParts& parts) {
  const HeadView head{"GET", scheme, authority, parts.target, {}};
  return location_of(head, parts).value_or("(none)");
}

TEST_CASE("a location is the request's URL with the parts replaced") {
  CHECK(location("http", "a:8080", {"", "", "/x?y"}) == "http://a:8080/x?y");
  CHECK(location("http", "a:8080", {"https", "", "/x"}) == "https://a/x");
  CHECK(location("http", "[::1]:8080", {"https", "", "/x"}) == "https://[::1]/x");
  CHECK(location("http", "[::1]", {"https", "", "/x"}) == "https://[::1]/x");
  CHECK(location("https", "a:8443", {"https", "", "/x"}) == "https://a:8443/x");
  CHECK(location("http", "a", {"https", "b:444", "/x"}) == "https://b:444/x");
  CHECK(location("http", "", {"https", "", "/x"}) == "(none)");
  CHECK(location("http", "", {"", "", "/x"}) == "/x");
  CHECK(location("http", "", {"", "", "//evil.example/x"}) == "/.//evil.example/x");
  CHECK(location("http", "a", {"", "", "//evil.example/x"}) == "http://a//evil.example/x");
  CHECK(location("http", "a", {"", "", "/<\"|{`^}\\>?\""}) ==
        "http://a/%3C%22%7C%7B%60%5E%7D%5C%3E?%22");
}

TEST_CASE("a redirect that never ends is refused, and one that ends is not") {
  const auto loop = [](const std::string& route) {
    return std::vector<std::string>{"E065 routes." + route + ".redirect"};
  };
  CHECK(codes({prefix("a", "/").redirect("https", "", "")}) == loop("a"));
  CHECK(codes({prefix("a", "/").scheme("http").redirect("https", "", "")}).empty());
  CHECK(codes({prefix("a", "/").scheme("https").redirect("https", "", "")}) == loop("a"));
  CHECK(codes({prefix("a", "/").redirect("", "", "/home")}) == loop("a"));
  CHECK(codes({prefix("a", "/").redirect("", "", "/home"), path("home", "/home")}).empty());
  CHECK(codes({prefix("a", "/x").redirect("", "", "/x/y")}) == loop("a"));
  CHECK(codes({prefix("a", "/").host("a.example").redirect("", "a.example", "")}) == loop("a"));
  CHECK(codes({prefix("a", "/").host("*.example").redirect("", "www.example", "")}) == loop("a"));
  CHECK(codes({prefix("a", "/").redirect("", "www.example", "")}).empty());  // somebody else's
  CHECK(codes({prefix("a", "/").host("[::1]").redirect("https", "", "")}) == loop("a"));
  CHECK(codes({path("a", "/a").redirect("", "", "/b"), path("b", "/b").redirect("", "", "/a")}) ==
        std::vector<std::string>{"E065 routes.a.redirect", "E065 routes.b.redirect"});
  // A POST that is answered with 303 comes back as a GET.
  CHECK(codes({path("a", "/a").methods({"POST"}).redirect("", "", "/a", 303), prefix("all", "/")})
            .empty());
  CHECK(codes({path("a", "/a").methods({"POST"}).redirect("", "", "/a", 307),
               prefix("all", "/")}) == loop("a"));
}

TEST_CASE("another port of the same host is another server, unless the scheme changes with it") {
  const auto sent_to = [](std::string scheme, std::string host) {
    return codes({prefix("a", "/").host("a.example").redirect(scheme, host, "")});
  };
  CHECK(sent_to("", "a.example:8080").empty());
  CHECK(sent_to("https", "a.example:8443") ==
        std::vector<std::string>{"E065 routes.a.redirect"});  // from http; it comes back to itself
  CHECK(sent_to("http", "a.example:80") == std::vector<std::string>{"E065 routes.a.redirect"});
  CHECK(codes({prefix("a", "/").host("a.example").scheme("https").redirect("", "a.example:443",
                                                                          "")}) ==
        std::vector<std::string>{"E065 routes.a.redirect"});
}

TEST_CASE("a route that is answered here and has a backend is refused") {
  auto rule = static_cast<RouteRule>(path("a", "/a").respond(200));
  rule.to = "legacy";
  CHECK(codes({rule}) == std::vector<std::string>{"E045 routes.a"});
}

TEST_CASE("the version changes with what a route answers and where it falls back to") {
  const auto version = [](RouteRule rule) { return std::string(table_of({rule})->version()); };
  const std::vector<std::string> versions{
      version(path("a", "/a")),
      version(path("a", "/a").fallback("new")),
      version(path("a", "/a").respond(200)),
      version(path("a", "/a").respond(410)),
      version(path("a", "/a").redirect("", "b", "", 308)),
      version(path("a", "/a").redirect("", "b", "", 301)),
      version(path("a", "/a").redirect("", "c", "", 308)),
      version(path("a", "/a").redirect("https", "b", "", 308)),
      version(path("a", "/a").redirect("", "b", "/x", 308)),
  };
  for (std::size_t i = 0; i < versions.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(versions[i] != versions[j]);
}

TEST_CASE("redirects and responds are listed, explained and tested") {
  const auto table =
      table_of({path("moved", "/old/{id}").redirect("https", "", "/new/{id}", 301),
                path("gone", "/gone").respond(410), path("safe", "/safe").fallback("new")});
  for (const ListedRoute& listed : list_routes(*table, {})) {
    if (listed.name == "moved") CHECK(listed.target == "redirect 301 https:/new/{id}");
    if (listed.name == "gone") CHECK(listed.target == "respond 410");
    if (listed.name == "safe") CHECK(listed.fallback == "new");
  }
  const HeadView head{"GET", "http", "a.example:80", "/old/7?x", {}};
  const Explanation moved = explain(*table, head, {"192.0.2.1"});
  CHECK(moved.winner == "moved");
  CHECK(moved.backend.empty());
  CHECK(moved.location == "https://a.example/new/7?x");
  CHECK(moved.upstream_target.empty());
  CHECK(explain(*table, {"GET", "http", "a", "/safe", {}}, {"192.0.2.1"}).fallback == "new");

  const auto asked = [](std::string target) {
    TestCase test;
    test.method = "GET";
    test.target = std::move(target);
    test.host = "a";
    return test;
  };
  TestCase test = asked("/old/7");
  test.status = 301;
  test.backend = "none";
  test.location = "https://a/new/7";
  test.upstream_path = "none";
  TestCase gone = asked("/gone");
  gone.status = 410;
  gone.location = "none";
  TestCase wrong = asked("/gone");
  wrong.status = 200;
  const std::vector<TestCase> tests{test, gone, wrong};
  const auto results = run_tests(*table, tests);
  CHECK(results[0].passed());
  CHECK(results[1].passed());
  REQUIRE_FALSE(results[2].passed());
  CHECK(results[2].assertions.front().got == "410");
}

TEST_CASE("a request may be written as a URL") {
  const auto parts = split_absolute("https://a:8443/x?y");
  CHECK(parts.scheme == "https");
  CHECK(parts.authority == "a:8443");
  CHECK(parts.target == "/x?y");
  CHECK(split_absolute("http://a").target == "/");
  CHECK(split_absolute("/http://a").scheme.empty());
  CHECK(split_absolute("/http://a").target == "/http://a");
}

}  // namespace
}  // namespace segue::routing
