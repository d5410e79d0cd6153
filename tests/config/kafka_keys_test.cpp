#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using testing::load_changed;

constexpr std::string_view kRedactedRoute =
    "\ndefaults: { record: { redact: { headers: [x-token] }, key_mode: plain } }";

// The errors of `recorder.kafka: VALUE`, one "CODE message (hint)" each.
std::string errors_of(const std::string& kafka) {
  const LoadResult result =
      load_changed("recorder: { kafka: " + kafka + " }" + std::string(kRedactedRoute));
  std::string all;
  for (const Diagnostic& error : result.errors)
    all += fmt::format("{} {} ({})\n", error.code, error.message, error.hint);
  return all;
}

TEST_CASE("recorder.kafka is read whole, and makes the publisher a consumer of the journal") {
  LoadResult result = load_changed(
      "recorder:\n"
      "  kafka:\n"
      "    brokers: [\"kafka-1:9092\", \"[2001:db8::1]:9093\"]\n"
      "    topic: shop.exchanges\n"
      "    topics: { shadow: shop.shadows }\n"
      "    properties: { linger.ms: 20, compression.type: zstd }\n"
      "    tls: { ca: ca.pem, cert: me.pem, key: { file: me.key } }\n"
      "    sasl: { mechanism: SCRAM-SHA-512, username: segue, password: { file: secret } }\n"
      "    schema_registry: { url: \"https://registry:8081/\", username: u,\n"
      "                       password: { file: registry-secret } }\n"
      "    hot_keys: { buckets: 8, above_percent: 2.5 }\n" +
      std::string(kRedactedRoute));
  for (const Diagnostic& error : result.errors) UNSCOPED_INFO(error.message);
  REQUIRE(result.settings.has_value());
  REQUIRE(result.settings->kafka.has_value());
  const kafka::Settings& kafka = *result.settings->kafka;
  CHECK(kafka.brokers == std::vector<std::string>{"kafka-1:9092", "[2001:db8::1]:9093"});
  CHECK(kafka.topic == "shop.exchanges");
  CHECK(kafka.shadow_topic == "shop.shadows");
  CHECK(kafka.properties.at("linger.ms") == "20");
  CHECK(kafka.properties.at("compression.type") == "zstd");
  CHECK(kafka.tls->ca == "ca.pem");
  CHECK(kafka.tls->cert == "me.pem");
  CHECK(kafka.tls->key == "me.key");
  CHECK(kafka.sasl->mechanism == "SCRAM-SHA-512");
  CHECK(kafka.sasl->password_file == "secret");
  CHECK(kafka.registry->url == "https://registry:8081");
  CHECK(kafka.registry->username == "u");
  CHECK(kafka.hot_keys.buckets == 8);
  CHECK(kafka.hot_keys.above_percent == 2.5);
  CHECK(result.settings->journal.consumers == std::vector<std::string>{"publisher"});
}

TEST_CASE("without recorder.kafka nobody consumes the journal") {
  const LoadResult result = load_changed("");
  REQUIRE(result.settings.has_value());
  CHECK_FALSE(result.settings->kafka.has_value());
  CHECK(result.settings->journal.consumers.empty());
}

TEST_CASE("what recorder.kafka cannot be is refused with what to do instead") {
  CHECK(errors_of("{ topic: t }") == "E013 recorder.kafka needs 'brokers' ()\n");
  CHECK(errors_of("{ brokers: [] }") == "E011 recorder.kafka.brokers must not be empty ()\n");
  CHECK(errors_of("{ brokers: [kafka] }") ==
        "E014 recorder.kafka.brokers[0] must be host:port, such as kafka.internal:9092, not "
        "'kafka' ()\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], properties: { acks: 1 } }") ==
        "E014 recorder.kafka.properties may not set 'acks' (a record counts as published when all "
        "replicas have it)\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], properties: { sasl.password: x } }") ==
        "E014 recorder.kafka.properties may not set 'sasl.password' (use kafka.sasl.password: { "
        "file })\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], properties: { ssl.key.password: x } }") ==
        "E014 recorder.kafka.properties may not set 'ssl.key.password' (secrets stand in files: use "
        "an unencrypted kafka.tls.key: { file })\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], properties: { delivery.report.only.error: true } }") ==
        "E014 recorder.kafka.properties may not set 'delivery.report.only.error' (a record counts as "
        "published when its report says so)\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], topic: \"a b\" }") ==
        "E014 recorder.kafka.topic must be a topic: letters, digits, '.', '_' and '-', not 'a b' "
        "()\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], sasl: { mechanism: PLAIN, username: u, password: "
                  "secret } }") ==
        "E024 recorder.kafka.sasl.password is a secret and cannot be written here (write { file: "
        "path })\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], tls: { cert: a.pem } }") ==
        "E013 recorder.kafka.tls needs both 'cert' and 'key', or neither ()\n");
  CHECK(errors_of("{ brokers: [\"kafka:9092\"], schema_registry: { url: \"http://u:p@r\" } }") ==
        "E024 recorder.kafka.schema_registry.url cannot hold a user or password (use username and "
        "password: { file: path })\n");
}

TEST_CASE("durability kafka without Kafka is refused, with Kafka it is taken") {
  const LoadResult without = load_changed(
      "defaults: { record: { redact: {}, durability: kafka } }");
  REQUIRE(without.errors.size() == 1);
  CHECK(without.errors.front().message == "durability 'kafka' needs recorder.kafka");

  const LoadResult with = load_changed(
      "recorder: { kafka: { brokers: [\"kafka:9092\"] } }\n"
      "defaults: { record: { redact: {}, durability: kafka, durability_timeout: 2s } }");
  REQUIRE(with.settings.has_value());
  for (const RouteSettings& route : with.settings->routes) {
    CHECK(route.record.durability == recorder::Durability::kafka);
    CHECK(route.record.durability_timeout == std::chrono::seconds(2));
  }
}

}  // namespace
}  // namespace segue::config
