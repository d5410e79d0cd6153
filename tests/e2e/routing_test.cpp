#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

// Two backends that answer with their name and the target they were asked for.
class TwoBackends {
 public:
  TwoBackends() : legacy_(named("legacy")), new_(named("new")) {}

  ConfigText config() const {
    ConfigText config;
    config.backend("legacy", legacy_.port()).backend("new", new_.port());
    return config;
  }
  std::size_t requests() const { return legacy_.requests().size() + new_.requests().size(); }

 private:
  static ScriptedBackend::Script named(std::string name) {
    return [name](BackendConnection& connection) {
      while (const auto request = connection.request()) {
        connection.send(response_with(200, name + " " + request->target()));
      }
    };
  }
  ScriptedBackend legacy_;
  ScriptedBackend new_;
};

TEST_CASE("routes: template, method, header, prefix and rewrite each reach their backend") {
  TwoBackends backends;
  auto config = backends.config();
  config.route("catch-all", "{ match: { prefix: / }, to: legacy }")
      .route("read", "{ match: { method: [GET, HEAD], path: \"/items/{id:[0-9]+}\" }, to: new }")
      .route("beta", "{ match: { prefix: /search, header: { x-beta: \"1\" } }, to: new }")
      .route("geo", "{ match: { prefix: /geo }, to: new, rewrite: { prefix: /v1/geo } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/items/42").body == "new /items/42");
  CHECK(client.get("/items/abc").body == "legacy /items/abc");
  CHECK(client.exchange("DELETE /items/42 HTTP/1.1\r\nHost: a\r\n\r\n").body == "legacy /items/42");
  CHECK(client.get("/search/x", "X-Beta: 1\r\n").body == "new /search/x");
  CHECK(client.get("/search/x").body == "legacy /search/x");
  CHECK(client.get("/geo/be/gent?a=1").body == "new /v1/geo/be/gent?a=1");
  CHECK(client.get("/geography").body == "legacy /geography");
}

TEST_CASE("a split keeps each user on one side, near its share, and missing keys where told") {
  TwoBackends backends;
  auto config = backends.config();
  config.route("split",
               "{ match: { prefix: / }, split: { legacy: 70, new: 30 }, "
               "sticky: { key: cookie:uid, missing: legacy } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  int moved = 0;
  constexpr int kUsers = 1000;
  for (int user = 0; user < kUsers; ++user) {
    const auto cookie = fmt::format("Cookie: uid=u{}\r\n", user);
    const auto first = client.get("/", cookie).body;
    moved += first == "new /" ? 1 : 0;
    CHECK(client.get("/", cookie).body == first);
  }
  CHECK(moved > 230);  // 30 % of 1000 users, give or take five standard deviations
  CHECK(moved < 370);
  CHECK(client.get("/").body == "legacy /");
}

TEST_CASE("no route: 404 by the gateway, recorded, and no backend hears of it") {
  TwoBackends backends;
  auto config = backends.config();
  config.route("only", "{ match: { path: /here }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto answer = client.get("/elsewhere");
  CHECK(answer.status() == 404);
  CHECK(answer.field("segue-error").has_value());
  CHECK(client.get("/here").body == "legacy /here");  // the connection lives on
  CHECK(backends.requests() == 1);
  const auto exchanges = recorded(gateway.journal(), {"--status", "404"});
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "REFUSED");
}

TEST_CASE("a target that two readings would send to different routes is 400 and counted") {
  TwoBackends backends;
  auto config = backends.config();
  config.route("open", "{ match: { prefix: / }, to: legacy }")
      .route("admin", "{ match: { prefix: /admin }, to: new }");
  GatewayProcess gateway(config);
  for (const char* target : {"/x/../admin", "/x/%2e%2e/admin", "//admin", "/admin%2Fusers"}) {
    INFO(target);
    RawClient client(gateway.port());
    CHECK(client.get(target).status() == 400);
  }
  CHECK(gateway.metric("segue_path_confusion_total") == 4);
  RawClient client(gateway.port());
  CHECK(client.get("/x/../y").body == "legacy /x/../y");  // both readings agree: as it came
  CHECK(backends.requests() == 1);
}

}  // namespace
}  // namespace segue::test
