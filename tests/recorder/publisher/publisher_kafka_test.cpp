// The publisher against a real broker, where the mock cannot tell: what topics take, and topics
// that are not there.

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "kafka/confluent_frame.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/published_journal.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/schema_registry.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using namespace std::chrono_literals;
using segue::test::KafkaBroker;
using segue::test::KafkaTopic;
using State = PublisherStatus::State;

const std::string& brokers() {
  return KafkaBroker::shared().bootstrap();
}

kafka::Settings settings_of(const KafkaTopic& topic) {
  auto settings = settings_for(brokers());
  settings.topic = topic.name();
  return settings;
}

PublisherTimings patient() {
  auto timings = quick();
  timings.limit_patience = 60s;
  return timings;
}

TEST_CASE("what a journal holds comes to a real topic, in order, once") {
  for (const char* codec : {"lz4", "zstd"}) {
    const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
    auto settings = settings_of(topic);
    settings.properties["compression.type"] = codec;
    PublishedJournal published(settings, patient());
    published.publisher.start();
    published.append(0, 5'000);
    TopicReader reader(brokers(), topic.name(), 3);
    const auto& records = reader.read(5'000);
    CHECK(records.size() == 5'000);
    check_whole_and_in_order(records, 5'000);
    published.publisher.finish(60s);
    CHECK(published.publisher.status().published_records == 5'000);
    CHECK(published.publisher.status().errors.empty());
  }
}

TEST_CASE("bodies are cut to what the topic takes, however they compress") {
  const KafkaTopic topic(KafkaBroker::shared(),
                         {.configuration = {{"max.message.bytes", "20000"}}});
  PublishedJournal published(settings_of(topic), patient());
  std::string noise;
  for (std::uint32_t at = 1; noise.size() < 100'000; at = at * 1'664'525U + 1'013'904'223U)
    noise += static_cast<char>(at >> 24);
  for (std::uint64_t n = 0; n < 50; ++n) {
    auto exchange = exchange_number(n);
    exchange.mutable_response()->mutable_body()->set_content(noise.substr(0, 1'500 * n));
    append(published.journal.lane(0), exchange);
  }
  published.publisher.start();
  TopicReader reader(brokers(), topic.name(), 1);
  const auto& records = reader.read(50);
  check_whole_and_in_order(records, 50);
  for (const KafkaRecord& record : records) {
    v1::Exchange exchange;
    REQUIRE(exchange.ParseFromString(record.value.value()));
    const auto& body = exchange.response().body();
    CHECK((number_of(exchange) < 13) == (body.capture() == v1::CAPTURE_COMPLETE));
    if (body.capture() != v1::CAPTURE_COMPLETE) CHECK(body.reason() == "topic");
    CHECK(record.value->size() < 20'000);
  }
  published.publisher.finish(60s);
  CHECK(published.publisher.status().cut_bodies == 37);
  CHECK(published.publisher.status().errors.empty());
}

TEST_CASE("a limit that is lowered while publishing is learnt anew") {
  const KafkaTopic topic(KafkaBroker::shared());
  PublishedJournal published(settings_of(topic), patient());
  published.publisher.start();
  append(published.journal.lane(0), exchange_number(0, {.response_bytes = 100}));
  TopicReader reader(brokers(), topic.name(), 1);
  reader.read(1);
  topic.configure("max.message.bytes", "10000");
  auto exchange = exchange_number(1);
  std::string noise;
  for (std::uint32_t at = 1; noise.size() < 50'000; at = at * 1'664'525U + 1'013'904'223U)
    noise += static_cast<char>(at >> 24);
  exchange.mutable_response()->mutable_body()->set_content(noise);
  append(published.journal.lane(0), exchange);
  const auto& records = reader.read(2);
  CHECK(records.back().value->size() < 10'000);
  CHECK(records.back().value->size() > 9'000);
  const auto status =
      published.wait_until([](const PublisherStatus& now) { return now.published_records == 2; });
  CHECK(status.errors.at("too_large") == 1);
  CHECK(status.cut_bodies == 1);
}

TEST_CASE("a topic that is made later is published to then") {
  const std::string name = segue::test::random_topic_name();
  auto settings = settings_for(brokers());
  settings.topic = name;
  PublishedJournal published(settings, patient());
  published.append(0, 100);
  published.publisher.start();
  published.log.wait_for("there is no topic " + name);
  CHECK(published.publisher.status().state == State::waiting);
  const KafkaTopic topic(KafkaBroker::shared(), name, segue::test::TopicSettings{});
  TopicReader reader(brokers(), topic.name(), 1);
  check_whole_and_in_order(reader.read(100), 100);
  published.wait_until([](const PublisherStatus& now) { return now.state == State::publishing; });
  CHECK(published.publisher.status().redelivered_records == 0);
}

TEST_CASE("the publisher makes no topic, even where the broker would let it") {
  segue::test::BrokerOptions options;
  options.configuration = {"auto.create.topics.enable=true"};
  const KafkaBroker broker(options);
  auto settings = settings_for(broker.bootstrap());
  settings.topic = segue::test::random_topic_name();
  PublishedJournal published(settings, patient());
  published.append(0, 10);
  published.publisher.start();
  published.log.wait_for("there is no topic " + settings.topic);
  CHECK(broker.tool("topics", {"--list"}).find(settings.topic) == std::string::npos);
}

TEST_CASE("values are framed with the schema's id; an incompatible schema halts until it is gone") {
  const segue::test::SchemaRegistry registry;
  const KafkaTopic topic(KafkaBroker::shared());
  const std::string subject = topic.name() + "-value";
  registry.ask("POST", "/subjects/" + subject + "/versions",
               R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; package segue.v1; )"
               R"(message Exchange { string id = 1; }"})");
  auto settings = settings_of(topic);
  settings.registry.emplace();
  settings.registry->url = registry.url();
  PublishedJournal published(settings, patient());
  published.append(0, 10);
  published.publisher.start();
  published.log.wait_for("halted");
  const auto status = published.publisher.status();
  CHECK(status.state == State::halted);
  CHECK(status.errors.contains("schema"));
  CHECK(status.published_records == 0);

  registry.ask("DELETE", "/subjects/" + subject);
  TopicReader reader(brokers(), topic.name(), 1);
  for (const KafkaRecord& record : reader.read(10)) {
    const auto frame = kafka::decode_confluent_frame(record.value.value());
    REQUIRE(frame.has_value());
    CHECK(frame->is_first_message());
    CHECK(frame->schema_id > 0);
    v1::Exchange exchange;
    REQUIRE(
        exchange.ParseFromArray(frame->payload.data(), static_cast<int>(frame->payload.size())));
    CHECK(number_of(exchange) < 10);
  }
}

}  // namespace
}  // namespace segue::recorder
