// Records in Confluent's frame, with a real schema registry over TLS and basic authentication, and
// readers that know nothing of this project.

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/support/lines.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/schema_registry.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {

struct Registered {
  Registered() {
    const auto file = folder.write("password", fmt::format("{}\n", SchemaRegistry::kPassword));
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  ConfigText config() const {
    return publishing_config(
        backend.port(),
        {broker.bootstrap(), topic.name(),
         fmt::format(
             "schema_registry: {{ url: \"{}\", ca: \"{}\", username: {}, password: {{ file: "
             "\"{}\" }} }}",
             registry.https_url_with_authentication(), registry.ca().string(),
             SchemaRegistry::kUser, (folder / "password").string())});
  }
  std::string subject() const { return topic.name() + "-value"; }
  // Registers a schema of that text as the subject's next version.
  void register_schema(const std::string& text) const {
    registry.ask(
        "POST", "/subjects/" + subject() + "/versions",
        boost::json::serialize(boost::json::object{{"schemaType", "PROTOBUF"}, {"schema", text}}));
  }

  TempDir folder;
  const KafkaBroker& broker = KafkaBroker::shared();
  KafkaTopic topic{broker};
  SchemaRegistry registry;
  ScriptedBackend backend{answer_always(response_with(200, "ok"))};
};

TEST_CASE(
    "the schema is registered before the first record, and a foreign reader understands them") {
  const Registered registered;
  GatewayProcess gateway(registered.config());
  auto answered = send_some(gateway, 10);
  answered.merge(
      send_some(gateway, 10, "GET /caf%C3%A9?q=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n"));
  wait_until_published(registered.topic, answered);
  CHECK(gateway.metric("segue_publish_state", {"state=\"publishing\""}) == 1);

  const auto latest = boost::json::parse(
      registered.registry.ask("GET", "/subjects/" + registered.subject() + "/versions/latest"));
  const auto schema_id = latest.at("id").as_int64();
  for (const auto& record : registered.topic.records()) {
    REQUIRE(record.value->size() > 6);
    std::int64_t id = 0;
    for (std::size_t i = 1; i <= 4; ++i)
      id = id << 8 | static_cast<unsigned char>((*record.value)[i]);
    CHECK((*record.value)[0] == 0);
    CHECK(id == schema_id);
    CHECK((*record.value)[5] == 0);  // the first message of the schema
  }

  // Confluent's own Python deserialiser, with classes made from the schema by protoc.
  const auto read = run_command(
      {run_stack_script("librdkafka.sh", {"python"}),
       SEGUE_SOURCE_DIR "/tests/e2e/read_with_registry.py", registered.broker.bootstrap(),
       registered.topic.name(), registered.registry.https_url_with_authentication(),
       registered.registry.ca().string(),
       fmt::format("{}:{}", SchemaRegistry::kUser, SchemaRegistry::kPassword),
       SEGUE_SOURCE_DIR "/recorder/exchange.proto", std::to_string(answered.size())});
  INFO(read.err);
  REQUIRE(read.exit_code == 0);
  std::set<std::string> seen;
  std::size_t cafes = 0;
  for_each_line(read.out, [&](std::string_view line) {
    const auto exchange = boost::json::parse(line).as_object();
    seen.insert(text_of(exchange.at("id")));
    CHECK(exchange.at("status").as_int64() == 200);
    cafes += text_of(exchange.at("target")) == "/caf%C3%A9?q=1" ? 1u : 0u;
  });
  CHECK(seen == answered);
  CHECK(cafes == 10);
  // And seguectl reads what it framed itself.
  CHECK(
      recorded("kafka://" + registered.broker.bootstrap() + "/" + registered.topic.name()).size() ==
      answered.size());
}

TEST_CASE("an incompatible schema halts the publisher, and nothing is lost when it is mended") {
  const Registered registered;
  registered.register_schema(
      "syntax = \"proto3\"; package segue.v1; message Exchange { int64 id = 1; bool kind = 3; }");
  GatewayProcess gateway(registered.config());
  auto answered = send_some(gateway, 50);
  const auto readiness = wait_for_state(gateway, "halted");
  CHECK(!readiness.reason.empty());
  CHECK(gateway.metric("segue_publish_errors_total", {"kind=\"schema\""}) > 0);
  CHECK(registered.topic.records().empty());
  answered.merge(send_some(gateway, 50));
  // Somebody takes the wrong schema away.
  registered.registry.ask("DELETE", "/subjects/" + registered.subject());
  const auto published = wait_until_published(registered.topic, answered);
  CHECK(published.ids == answered);
  wait_for_state(gateway, "publishing");
  CHECK(gateway.stop().exit_code == 0);
  CHECK(kafka_lines(gateway.process()).size() <= 4);
}

TEST_CASE("the registry is down at the start, and again once the schema is known") {
  Registered registered;
  registered.registry.stop();
  GatewayProcess gateway(registered.config());
  auto answered = send_some(gateway, 50);
  const auto readiness = wait_for_state(gateway, "waiting");
  CHECK(readiness.reason.find("registry") != std::string::npos);
  CHECK(gateway.metric("segue_publish_errors_total", {"kind=\"registry\""}) > 0);
  CHECK(registered.topic.records().empty());
  registered.registry.start();
  wait_until_published(registered.topic, answered);
  wait_for_state(gateway, "publishing");

  registered.registry.stop();
  answered.merge(send_some(gateway, 50));
  CHECK(wait_until_published(registered.topic, answered).ids == answered);
  CHECK(kafka_readiness(gateway).state == "publishing");
  CHECK(gateway.stop().exit_code == 0);
  CHECK(kafka_lines(gateway.process()).size() <= 4);
}

}  // namespace
}  // namespace segue::test
