// Kafka as it is in bad times: every exchange that was answered is in the topic exactly once (told
// apart by its id), as long as the journal has room; clients notice nothing; the state is where
// people look, in few lines.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

// A trouble and its end may take a few lines; one for each record or attempt would be hundreds.
constexpr std::size_t kFewLines = 8;

struct Recording {
  Recording(const KafkaBroker& broker, const std::string& topic)
      : backend(unhurried_backend("the answer")),
        gateway(publishing_config(backend.port(), {broker.bootstrap(), topic})) {}

  // Ends the gateway: it wrote something about Kafka, but not much.
  void check_the_end() {
    CHECK(gateway.stop().exit_code == 0);
    const auto lines = kafka_lines(gateway.process());
    CAPTURE(lines);
    CHECK(!lines.empty());
    CHECK(lines.size() <= kFewLines);
  }
  double errors(std::string_view kind) const {
    return gateway.metric("segue_publish_errors_total", {fmt::format("kind=\"{}\"", kind)});
  }
  double in_state(std::string_view state) const {
    return gateway.metric("segue_publish_state", {fmt::format("state=\"{}\"", state)});
  }

  ScriptedBackend backend;
  GatewayProcess gateway;
};

void check_exactly(const KafkaTopic& topic, const std::set<std::string>& answered) {
  const auto published = wait_until_published(topic, answered);
  CHECK(published.ids == answered);
  CHECK(published.silent_repetitions == 0);
}

TEST_CASE(
    "Kafka is down when the gateway starts: it serves, and publishes all once Kafka is there") {
  KafkaBroker broker;
  const KafkaTopic topic(broker);
  broker.kill();
  Recording recording(broker, topic.name());
  const auto answered = send_some(recording.gateway, 300);
  const auto readiness = kafka_readiness(recording.gateway);
  CHECK(readiness.status == 200);
  CHECK((readiness.state == "connecting" || readiness.state == "waiting"));
  CHECK(recording.in_state("publishing") == 0);
  recording.gateway.wait_for_metric("segue_publish_lag_records", {}, 300);
  CHECK(recording.gateway.metric("segue_publish_lag_bytes") > 0);
  CHECK(recording.gateway.metric("segue_publish_lag_seconds") > 0);

  broker.up();
  check_exactly(topic, answered);
  wait_for_state(recording.gateway, "publishing");
  CHECK(recording.in_state("publishing") == 1);
  recording.gateway.wait_for_metric("segue_record_exchanges_total",
                                    {"sink=\"kafka\"", "result=\"published\""}, 300);
  recording.check_the_end();
}

TEST_CASE("Kafka is down for thousands of requests under load: clients notice nothing") {
  KafkaBroker broker;
  const KafkaTopic topic(broker, {.partitions = 3});
  Recording recording(broker, topic.name());
  Load load(recording.gateway.port(), 4);
  load.wait_for_more(200);
  wait_for_state(recording.gateway, "publishing");
  broker.kill();
  load.wait_for_more(5'000);
  CHECK(kafka_readiness(recording.gateway).state != "publishing");
  CHECK(recording.errors("connect") > 0);
  broker.up();
  load.wait_for_more(200);
  const auto answered = load.finish();
  CHECK(load.first_failure().empty());
  check_exactly(topic, answered);
  wait_for_state(recording.gateway, "publishing");
  recording.check_the_end();
}

TEST_CASE("Kafka is restarted twice, and hangs once, under load") {
  KafkaBroker broker;
  const KafkaTopic topic(broker, {.partitions = 2});
  Recording recording(broker, topic.name());
  Load load(recording.gateway.port(), 4);
  for (int round = 0; round < 2; ++round) {
    load.wait_for_more(300);
    broker.stop();
    broker.up();
  }
  load.wait_for_more(300);
  broker.pause();
  load.wait_for_more(1'000);
  broker.resume();
  load.wait_for_more(300);
  const auto answered = load.finish();
  CHECK(load.first_failure().empty());
  check_exactly(topic, answered);
  wait_for_state(recording.gateway, "publishing");
  CHECK(recording.gateway.stop().exit_code == 0);
  CHECK(kafka_lines(recording.gateway.process()).size() <= 3 * kFewLines);
}

TEST_CASE("each of three brokers is killed in its turn under load") {
  KafkaBroker broker({.brokers = 3});
  const KafkaTopic topic(broker, {.partitions = 3});
  Recording recording(broker, topic.name());
  Load load(recording.gateway.port(), 4);
  wait_for_state(recording.gateway, "publishing");
  for (unsigned node = 1; node <= 3; ++node) {
    const auto before =
        recording.gateway.metric("segue_record_exchanges_total", {"sink=\"kafka\""});
    broker.kill(node);
    load.wait_for_more(500);
    // The other two take over: what comes is published while this one is away.
    recording.gateway.wait_for_metric("segue_record_exchanges_total", {"sink=\"kafka\""},
                                      before + 1'000);
    broker.up(node);
  }
  const auto answered = load.finish();
  CHECK(load.first_failure().empty());
  check_exactly(topic, answered);
  recording.check_the_end();
}

TEST_CASE("the topic is missing: all is published once somebody creates it") {
  const auto& broker = KafkaBroker::shared();
  const auto name = random_topic_name();
  Recording recording(broker, name);
  const auto answered = send_some(recording.gateway, 200);
  const auto readiness = wait_for_state(recording.gateway, "waiting");
  CHECK(readiness.reason.find(name) != std::string::npos);
  CHECK(recording.errors("unknown_topic") > 0);
  const KafkaTopic topic(broker, name, {.partitions = 2});
  check_exactly(topic, answered);
  wait_for_state(recording.gateway, "publishing");
  recording.check_the_end();
}

TEST_CASE("a record too large for the topic is cut in its bodies, marked and counted") {
  const auto& broker = KafkaBroker::shared();
  const KafkaTopic topic(broker, {.configuration = {{"max.message.bytes", "20000"}}});
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      const bool large = request->target() == "/large";
      connection.send(response_with(200, std::string(large ? 60'000 : 100, 'x')));
    }
  });
  GatewayProcess gateway(publishing_config(backend.port(), {broker.bootstrap(), topic.name()}));
  auto answered = send_some(gateway, 20);
  answered.merge(send_some(gateway, 20, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
  answered.merge(send_some(gateway, 20));
  check_exactly(topic, answered);
  CHECK(gateway.metric("segue_publish_cut_bodies_total") == 20);
  // The journal's copies are whole; those in the topic say where they were cut.
  const auto kept = recorded(gateway.journal());
  CHECK(std::ranges::count_if(kept, [](const auto& exchange) {
          return boost::json::serialize(exchange).find("60000") != std::string::npos;
        }) == 20);
  for (const auto& record : topic.records()) CHECK(record.value->size() < 20'000);
  const auto in_topic = recorded("kafka://" + broker.bootstrap() + "/" + topic.name());
  CHECK(in_topic.size() == 60);
  CHECK(std::ranges::count_if(in_topic, [](const auto& exchange) {
          return boost::json::serialize(exchange).find("topic") != std::string::npos;
        }) == 20);
}

TEST_CASE("the topic's limit is lowered while records come") {
  const auto& broker = KafkaBroker::shared();
  const KafkaTopic topic(broker);
  // Bytes that do not compress: brokers look at what comes over the wire.
  std::string body(60'000, '\0');
  std::mt19937 random(1);
  std::ranges::generate(body, [&] { return static_cast<char>(random()); });
  ScriptedBackend backend(answer_always(response_with(200, body)));
  GatewayProcess gateway(publishing_config(backend.port(), {broker.bootstrap(), topic.name()}));
  auto answered = send_some(gateway, 20);
  check_exactly(topic, answered);
  topic.configure("max.message.bytes", "20000");
  answered.merge(send_some(gateway, 20));
  check_exactly(topic, answered);
  CHECK(gateway.metric("segue_publish_cut_bodies_total") == 20);
}

}  // namespace
}  // namespace segue::test
