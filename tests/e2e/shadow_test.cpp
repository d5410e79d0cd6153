#include <fmt/format.h>

#include <atomic>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <mutex>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

// Requests in the order in which any backend got them.
class Sequence {
 public:
  ScriptedBackend::Script answering(std::string name, std::string answer) {
    return [this, name, answer](BackendConnection& connection) {
      while (const auto request = connection.request()) {
        {
          const std::lock_guard lock(mutex_);
          order_ += name;
        }
        connection.send(answer);
      }
    };
  }
  std::string order() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  mutable std::mutex mutex_;
  std::string order_;
};

// One answer after the other, whichever connections the requests come on.
ScriptedBackend::Script answer_once_each(std::vector<std::string> answers) {
  const auto next = std::make_shared<std::atomic<std::size_t>>(0);
  return [next, answers = std::move(answers)](BackendConnection& connection) {
    while (connection.request()) connection.send(answers.at((*next)++));
  };
}

TEST_CASE("a copy is sent behind the answer, marked, and both are on record") {
  ScriptedBackend legacy(answer_always(response_with(200, "old", "X-From: legacy\r\n")));
  ScriptedBackend copies(answer_always(
      response_with(201, "new one", "Content-Type: text/plain\r\nSet-Cookie: s=shadow\r\n")));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100"));
  RawClient client(gateway.port());
  const auto answer = client.get("/searches/42?q=a", "Cookie: id=7\r\nAccept: text/plain\r\n");
  CHECK(answer.status() == 200);
  CHECK(answer.body == "old");
  CHECK_FALSE(answer.field("set-cookie"));
  wait_for_shadows(gateway, "sent", 1);

  const auto primaries = recorded_kind(gateway, "PRIMARY");
  const auto shadow = recorded_kind(gateway, "SHADOW");
  REQUIRE(primaries.size() == 1);
  REQUIRE(shadow.size() == 1);
  CHECK(said_of_shadow(primaries[0]) == "sent");
  CHECK(said_of_shadow(shadow[0]).empty());
  CHECK(shadow[0].at("parent_id") == primaries[0].at("id"));
  CHECK(shadow[0].at("id") != primaries[0].at("id"));
  CHECK(shadow[0].at("route") == "all");
  CHECK(shadow[0].at("path_template") == primaries[0].at("path_template"));
  CHECK(shadow[0].at("backend") == "new");
  CHECK(shadow[0].at("role") == "new");
  CHECK(text_of(shadow[0].at("endpoint")) == fmt::format("127.0.0.1:{}", copies.port()));
  CHECK(shadow[0].at("outcome") == "COMPLETED");
  const auto& request = shadow[0].at("request").as_object();
  CHECK(request.at("method") == "GET");
  CHECK(request.at("target") == "/searches/42?q=a");
  CHECK(recorded_header(request, "segue-shadow") == "1");
  CHECK(recorded_header(request, "accept") == "text/plain");
  CHECK(request.at("body").at("capture") == "ABSENT");
  const auto& response = shadow[0].at("response").as_object();
  CHECK(response.at("status") == 201);
  CHECK(response.at("body").at("text") == "new one");
  CHECK(shadow[0].at("timing_us").as_object().contains("last_byte"));

  const auto sent = copies.requests();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].field("segue-shadow") == "1");
  CHECK(sent[0].field("cookie") == "id=7");
  CHECK(sent[0].field("x-forwarded-for") == "127.0.0.1");
  CHECK(sent[0].target() == "/searches/42?q=a");
  CHECK_FALSE(legacy.requests()[0].field("segue-shadow"));
}

TEST_CASE("a copy names the host of its own backend, and goes without what is removed") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  ConfigText config;
  config.backend("legacy", legacy.port())
      .backend("new", copies.port(), "host: new.internal")
      .route("all",
             "{ match: { prefix: / }, to: legacy, shadow: { to: new, percent: 100, "
             "remove_headers: [Authorization, cookie, x-forwarded-for] } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/", "Authorization: Bearer t\r\nCookie: a=1\r\nCookie: b=2\r\nX-Kept: 1\r\n");
  const auto sent = copies.wait_for_requests(1);
  CHECK(sent[0].field("host") == "new.internal");
  CHECK(sent[0].field("x-kept") == "1");
  CHECK_FALSE(sent[0].field("authorization"));
  CHECK_FALSE(sent[0].field("cookie"));
  CHECK_FALSE(sent[0].field("x-forwarded-for"));
  CHECK(legacy.requests()[0].field("host") != "new.internal");
  CHECK(legacy.requests()[0].field("authorization") == "Bearer t");
  wait_for_shadows(gateway, "sent", 1);
  const auto request = recorded_kind(gateway, "SHADOW").at(0).at("request").as_object();
  CHECK_FALSE(recorded_header(request, "authorization"));
  CHECK(request.at("authority") == "new.internal");
}

TEST_CASE("0 percent copies nothing, and says so of every request") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 0"));
  RawClient client(gateway.port());
  for (int i = 0; i < 50; ++i) CHECK(client.get("/").body == "old");
  CHECK(shadows(gateway, "skipped_sampling") == 50);
  CHECK(shadows(gateway, "sent") == 0);
  CHECK(copies.connections() == 0);
  for (const auto& primary : recorded_kind(gateway, "PRIMARY"))
    CHECK(said_of_shadow(primary) == "skipped_sampling");
}

TEST_CASE("a share of requests is copied, and a smaller one of them sent once more") {
  constexpr int kRequests = 400;
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(), "percent: 50, control_percent: 20, timeout: 30s"));
  RawClient client(gateway.port());
  for (int i = 0; i < kRequests; ++i) client.get("/");
  gateway.wait_for_metric("segue_shadow_requests_total", {}, kRequests);
  wait_until_none_in_flight(gateway);
  const double sent = shadows(gateway, "sent");
  const double again = controls(gateway, "sent");
  // Binomial; each bound is more than six standard deviations away.
  CHECK((sent > 130 && sent < 270));
  CHECK((again > 30 && again < 135));
  CHECK(sent + shadows(gateway, "skipped_sampling") + shadows(gateway, "skipped_in_flight") ==
        kRequests);
  CHECK(recorded_kind(gateway, "SHADOW").size() == static_cast<std::size_t>(sent));
  CHECK(recorded_kind(gateway, "CONTROL").size() == static_cast<std::size_t>(again));
  CHECK(copies.requests().size() == static_cast<std::size_t>(sent));
}

TEST_CASE("a control goes to the same backend behind the shadow, with all that it had before") {
  Sequence sequence;
  ScriptedBackend legacy(sequence.answering("A", response_with(200, "old")));
  ScriptedBackend copies(sequence.answering("B", response_with(200, "new")));
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(),
               "percent: 100, control_percent: 100, remove_headers: [authorization]"));
  RawClient client(gateway.port());
  for (int i = 1; i <= 3; ++i) {
    client.get("/", "Authorization: Bearer t\r\n");
    wait_for_controls(gateway, "sent", i);
  }
  CHECK(sequence.order() == "ABAABAABA");
  const auto seen = legacy.requests();
  REQUIRE(seen.size() == 6);
  CHECK(seen[1].field("segue-shadow") == "1");
  CHECK(seen[1].field("authorization") == "Bearer t");
  CHECK(seen[1].field("host") == seen[0].field("host"));
  CHECK_FALSE(copies.requests()[0].field("authorization"));
  const auto primaries = recorded_kind(gateway, "PRIMARY");
  const auto again = recorded_kind(gateway, "CONTROL");
  REQUIRE(again.size() == 3);
  CHECK(again[0].at("parent_id") == primaries.at(0).at("id"));
  CHECK(again[0].at("backend") == "legacy");
  CHECK(again[0].at("response").at("status") == 200);
}

TEST_CASE("what may change data is copied only where the route states writes") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  const bool stated = GENERATE(false, true);
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(),
               stated ? "percent: 100, control_percent: 100, writes: \"scratch database\""
                      : "percent: 100, control_percent: 100"));
  RawClient client(gateway.port());
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"})
    client.exchange(fmt::format(
        "{} /x HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
        method));
  if (!stated) {
    CHECK(shadows(gateway, "skipped_method") == 4);
    CHECK(copies.connections() == 0);
    for (const auto& primary : recorded_kind(gateway, "PRIMARY"))
      CHECK(said_of_shadow(primary) == "skipped_method");
    return;
  }
  wait_for_shadows(gateway, "sent", 4);
  for (const auto& request : copies.requests()) {
    CHECK(request.body == "body");
    CHECK(request.field("content-length") == "4");
    CHECK(request.field("content-type") == "text/plain");
  }
  // A control would write a second time.
  CHECK(recorded_kind(gateway, "CONTROL").empty());
  CHECK(legacy.requests().size() == 4);
  const auto body = recorded_kind(gateway, "SHADOW").at(0).at("request").at("body").as_object();
  CHECK(body.at("capture") == "SKIPPED");
  CHECK(body.at("reason") == "as_primary");
  CHECK(body.at("size") == 4);
}

TEST_CASE("copies follow a split to the arm that was not chosen") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend fresh(answer_always(response_with(200, "new")));
  const bool to_new = GENERATE(false, true);
  ConfigText config;
  config.backend("legacy", legacy.port())
      .backend("new", fresh.port())
      .route("all",
             fmt::format("{{ match: {{ prefix: / }}, split: {{ legacy: {}, new: {} }}, sticky: {{ "
                         "key: header:x-user, missing: legacy }}, "
                         "shadow: {{ to: other, percent: 100 }} }}",
                         to_new ? 0 : 100, to_new ? 100 : 0));
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/", "X-User: 1\r\n").body == (to_new ? "new" : "old"));
  wait_for_shadows(gateway, "sent", 1);
  const auto shadow = recorded_kind(gateway, "SHADOW");
  REQUIRE(shadow.size() == 1);
  CHECK(shadow[0].at("backend") == (to_new ? "legacy" : "new"));
  CHECK((to_new ? legacy : fresh).requests().at(0).field("segue-shadow") == "1");
  CHECK(shadow[0].at("decision").as_object().contains("bucket"));
}

TEST_CASE("a split that chose the backend of the copies makes none") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend fresh(answer_always(response_with(200, "new")));
  ConfigText config;
  config.backend("legacy", legacy.port())
      .backend("new", fresh.port())
      .route(
          "all",
          "{ match: { prefix: / }, split: { legacy: 0, new: 100 }, sticky: { key: header:x-user, "
          "missing: new }, shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "new");
  CHECK(shadows(gateway, "skipped_same_backend") == 1);
  CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "skipped_same_backend");
  CHECK(fresh.requests().size() == 1);
}

TEST_CASE("what is redacted of a primary is redacted of its copy") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(
      response_with(200, R"({"secret":"s3cr3t"})", "Content-Type: application/json\r\n")));
  auto config = shadowed(legacy.port(), copies.port(), "percent: 100");
  config.with("defaults",
              "{ record: { redact: { headers: [authorization], query: [token], json: "
              "[$.secret] } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/a?token=t0k3n&b=1", "Authorization: Bearer s3cr3t\r\n");
  wait_for_shadows(gateway, "sent", 1);
  const auto text = boost::json::serialize(recorded_kind(gateway, "SHADOW").at(0));
  CHECK(text.find("s3cr3t") == std::string::npos);
  CHECK(text.find("t0k3n") == std::string::npos);
  CHECK(copies.requests()[0].field("authorization") == "Bearer s3cr3t");
  CHECK(copies.requests()[0].target() == "/a?token=t0k3n&b=1");
}

TEST_CASE("a host that is redacted stands nowhere in the record of its copy") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  auto config = shadowed(legacy.port(), copies.port(), "percent: 100, control_percent: 100");
  config.with("defaults", "{ record: { redact: { headers: [host] } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.exchange("GET / HTTP/1.1\r\nHost: s3cr3t.example\r\n\r\n");
  wait_for_controls(gateway, "sent", 1);
  for (const auto* kind : {"SHADOW", "CONTROL"}) {
    CAPTURE(kind);
    const auto text = boost::json::serialize(recorded_kind(gateway, kind).at(0));
    CHECK(text.find("s3cr3t") == std::string::npos);
  }
  CHECK(copies.requests()[0].field("x-forwarded-host") == "s3cr3t.example");
}

TEST_CASE("the backend of shadows may have a name") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  ConfigText config;
  config
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"127.0.0.1:{}\"] }}, new: {{ "
                                    "endpoints: [\"localhost:{}\"] }} }}",
                                    legacy.port(), copies.port()))
      .route("all", "{ match: { prefix: / }, to: legacy, shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "old");
  wait_for_shadows(gateway, "sent", 1);
  CHECK(copies.requests().size() == 1);
}

TEST_CASE("both durations are of the same requests: those whose copy was answered whole") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_once_each({response_with(200, "new"), "nonsense"}));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100"));
  RawClient client(gateway.port());
  client.get("/1");
  wait_for_shadows(gateway, "sent", 1);
  client.get("/2");
  wait_for_shadows(gateway, "error", 1);
  CHECK(gateway.metric("segue_shadow_request_duration_seconds_count") == 1);
  CHECK(gateway.metric("segue_shadow_primary_duration_seconds_count") == 1);
}

TEST_CASE("a route without shadow says nothing of it, beside one that has") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  auto config = shadowed(legacy.port(), copies.port(), "percent: 100");
  config.route("plain", "{ match: { prefix: /plain }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/plain/1");
  client.get("/copied");
  wait_for_shadows(gateway, "sent", 1);
  const auto primaries = recorded_kind(gateway, "PRIMARY");
  REQUIRE(primaries.size() == 2);
  CHECK(said_of_shadow(primaries[0]).empty());
  CHECK(copies.requests().size() == 1);
  CHECK(gateway.metrics().find("route=\"plain\",result") == std::string::npos);
}

}  // namespace
}  // namespace segue::test
