#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <set>
#include <thread>

#include "tests/e2e/shops.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"

// The demo's shops behind a real gateway, and what `seguectl compare` says of them.
namespace segue::test {
namespace {

using Fields = std::set<std::string>;  // "body $.stock missing"

constexpr std::size_t kClients = 8;

// Every copy is sent and answered, however busy the machine is: few connections, on which all wait
// their turn.
constexpr std::string_view kPatient =
    "limits: { connections: 32, pending: 20000 }, timeouts: { connect: 30s }";

ConfigText shops_config(const Shop& legacy, const Shop& fresh, std::string_view compare) {
  ConfigText config;
  config.backend("legacy", legacy.port(), kPatient)
      .backend("new", fresh.port(), kPatient)
      .with(
          "defaults",
          fmt::format("{{ record: {{ redact: {{}} }}, compare: {},\n"
                      "  shadow: {{ control_percent: 50, timeout: 30s, max_in_flight: 10000 }} }}",
                      compare));
  return config;
}

// Copies hold their place from the decision to their record.
void wait_for_copies(const GatewayProcess& gateway) {
  const Deadline deadline;
  while (gateway.metric("segue_shadow_in_flight") > 0) {
    if (deadline.left() == 0) throw TestFailure("copies are still under way");
    std::this_thread::yield();
  }
}

// What `seguectl compare` says of all that was recorded, by the rules of the configuration.
class Compared {
 public:
  Compared(const GatewayProcess& gateway, const ConfigText& config) {
    const TempDir folder;
    const auto file = folder.write("segue.yaml", config.yaml(gateway.journal_path()));
    const CommandResult result = run_command(
        {seguectl_path(), "compare", gateway.journal(), "-c", file.string(), "-o", "json"});
    INFO(result.err);
    REQUIRE(result.exit_code <= 1);
    report_ = boost::json::parse(result.out).as_object();
    exit_code_ = result.exit_code;
  }

  int exit_code() const { return exit_code_; }
  const boost::json::object& report() const { return report_; }
  const boost::json::object& route(std::string_view name) const {
    for (const auto& route : report_.at("routes").as_array())
      if (text_of(route.at("route")) == name) return route.as_object();
    throw TestFailure(fmt::format("no route {} in the report", name));
  }
  Fields fields(std::string_view route_name, std::string_view judgement) const {
    Fields fields;
    for (const auto& field : route(route_name).at("fields").as_array())
      if (text_of(field.at("judgement")) == judgement)
        fields.insert(fmt::format("{} {} {}", text_of(field.at("part")), text_of(field.at("field")),
                                  text_of(field.at("kind"))));
    return fields;
  }

 private:
  boost::json::object report_;
  int exit_code_ = -1;
};

std::int64_t count(const boost::json::object& object, std::string_view key) {
  return object.at(key).to_number<std::int64_t>();
}

TEST_CASE("where the two shops differ is found, and what differs by itself is learned as noise") {
  const Shop legacy(ShopKind::legacy);
  const Shop fresh(ShopKind::fresh);
  ConfigText config =
      shops_config(legacy, fresh, "{ min_pairs: 20, ignore_headers: [host, x-powered-by] }");
  config
      .route("product",
             "{ match: { method: GET, path: \"/products/{id}\" }, to: legacy,"
             " shadow: { to: new, percent: 100 } }")
      .route("search",
             "{ match: { method: GET, path: /search }, to: new,"
             " shadow: { to: legacy, percent: 100 } }")
      .route("rest", "{ match: { prefix: / }, to: legacy, shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (int round = 0; round < 30; ++round) {
    for (int product = 1; product <= 8; ++product)
      REQUIRE(client.get(fmt::format("/products/{}", product)).status() ==
              (product <= 6 ? 200 : 404));
    for (const char* words : {"st", "p"})
      REQUIRE(client.get(fmt::format("/search?q={}", words)).status() == 200);
    REQUIRE(client.get("/opening-hours").status() == 200);
  }
  wait_for_copies(gateway);
  const Compared compared(gateway, config);
  CAPTURE(boost::json::serialize(compared.report()));
  CHECK(compared.exit_code() == 1);

  CHECK(count(compared.route("product"), "pairs") == 240);
  CHECK(compared.fields("product", "finding") ==
        Fields{"header cache-control missing", "body $.stock missing", "body $.in_stock extra",
               "body $.member_price value", "body $.error value"});
  const Fields product_noise{"header x-shop-request value", "body $.generated_at value",
                             "body $.request_id value", "body $.also_bought order"};
  CHECK(compared.fields("product", "noise") == product_noise);
  CHECK(compared.fields("product", "uncertain").empty());

  CHECK(count(compared.route("search"), "pairs") == 60);
  CHECK(compared.fields("search", "finding") ==
        Fields{"body $.hits[*].in_stock missing", "body $.hits[*].stock extra"});
  const Fields search_noise{"header x-shop-request value", "body $.generated_at value",
                            "body $.request_id value", "body $.took_ns value"};
  CHECK(compared.fields("search", "noise") == search_noise);
  CHECK(compared.fields("search", "uncertain").empty());

  CHECK(compared.fields("rest", "finding").contains("status  value"));
  CHECK(compared.fields("rest", "noise").empty());
}

// Spreads `requests` over clients that keep their connections.
void send_many(const GatewayProcess& gateway, std::size_t requests) {
  std::vector<std::future<void>> clients;
  for (std::size_t i = 0; i < kClients; ++i)
    clients.push_back(std::async(std::launch::async, [&gateway, i, requests] {
      RawClient client(gateway.port());
      for (std::size_t request = i; request < requests; request += kClients) {
        const auto target = request % 3 == 0 ? std::string("/search?q=st")
                                             : fmt::format("/products/{}", 1 + request % 7);
        const auto status = client.get(target).status();
        if (status != 200 && status != 404) throw TestFailure(fmt::format("status {}", status));
      }
    }));
  for (auto& client : clients) client.get();
}

TEST_CASE("of ten thousand pairs of one shop with itself nothing is reported") {
  constexpr std::size_t kPairs = 10'000;
  const Shop one(ShopKind::fresh);
  const Shop same(ShopKind::fresh);
  ConfigText config = shops_config(one, same, "{}");
  config
      .route("product",
             "{ match: { path: \"/products/{id}\" }, to: legacy,"
             " shadow: { to: new, percent: 100, control_percent: 25 } }")
      .route("search",
             "{ match: { path: /search }, to: legacy,"
             " shadow: { to: new, percent: 100, control_percent: 25 } }");
  GatewayProcess gateway(config);
  send_many(gateway, kPairs);
  wait_for_copies(gateway);
  const Compared compared(gateway, config);
  CAPTURE(boost::json::serialize(compared.report()));
  CHECK(compared.exit_code() == 0);
  CHECK(count(compared.report(), "pairs") == kPairs);
  CHECK(count(compared.report(), "findings") == 0);
  for (const char* name : {"product", "search"}) {
    const boost::json::object& route = compared.route(name);
    CHECK(count(route, "different") == 0);
    CHECK(count(route, "noise_only") + count(route, "same") == count(route, "pairs"));
    CHECK(route.at("incomparable").as_object().empty());
    CHECK(count(route, "controls") > 500);
    CHECK(compared.fields(name, "finding").empty());
    CHECK(compared.fields(name, "uncertain").empty());
    CHECK(compared.fields(name, "noise").contains("body $.generated_at value"));
  }
}

}  // namespace
}  // namespace segue::test
