#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

ConfigText answered_by_kafka(std::uint16_t backend, const KafkaTopic& topic,
                             const std::string& bootstrap, std::string_view timeout) {
  ConfigText config = all_to(backend);
  config
      .with("defaults", fmt::format("{{ record: {{ redact: {{}}, durability: kafka, "
                                    "durability_timeout: {} }} }}",
                                    timeout))
      .with("recorder", fmt::format("{{ journal: {{ dir: journal, max_size: 64MiB, segment: 8MiB "
                                    "}}, kafka: {{ brokers: [\"{}\"], topic: {} }} }}",
                                    bootstrap, topic.name()));
  return config;
}

TEST_CASE("durability kafka: what was answered is in the topic at that moment") {
  const KafkaBroker& broker = KafkaBroker::shared();
  const KafkaTopic topic(broker);
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(answered_by_kafka(backend.port(), topic, broker.bootstrap(), "60s"));
  RawClient client(gateway.port());
  for (std::size_t n = 1; n <= 5; ++n) {
    CHECK(client.get("/").body == "ok");
    CHECK(topic.records().size() == n);
  }
  CHECK(gateway.metric("segue_durability_timeouts_total") == 0);
}

TEST_CASE("durability kafka: while Kafka hangs nothing is answered whole, and nothing is lost") {
  KafkaBroker broker;
  const KafkaTopic topic(broker);
  ScriptedBackend backend(answer_always(response_with(200, "the answer")));
  GatewayProcess gateway(answered_by_kafka(backend.port(), topic, broker.bootstrap(), "1s"));
  // The first connection to Kafka may take longer than that.
  gateway.wait_for_metric("segue_publish_state", {"state=\"publishing\""}, 1);
  broker.pause();
  RawClient client(gateway.port());
  client.send("GET /hung HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = client.reader().response();
  CHECK((!answer || !answer->whole));
  CHECK(gateway.metric("segue_durability_timeouts_total") == 1);
  CHECK(gateway.metric("segue_unrecorded_resets_total") == 1);

  broker.resume();
  const auto records = topic.wait_for(1);
  CHECK(records.front().header("segue-status") == "200");
  CHECK(recorded(gateway.journal()).size() == 1);
  gateway.wait_for_metric("segue_record_exchanges_total", {"sink=\"kafka\""}, 1);
  RawClient again(gateway.port());
  CHECK(again.get("/").body == "the answer");
}

}  // namespace
}  // namespace segue::test
