// What is in the topic after brokers failed: everything, in order, and little of it twice.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/mock_cluster.hpp"
#include "tests/recorder/publisher/published_journal.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using namespace std::chrono_literals;
using State = PublisherStatus::State;

std::size_t marked_as_sent_again(const TopicReader::Records& records) {
  return static_cast<std::size_t>(std::ranges::count_if(
      records, [](const KafkaRecord& record) { return record.header("segue-redelivery") == "1"; }));
}

// Whether every number that is there twice was marked when it came again.
void check_marks(const TopicReader::Records& records, std::uint64_t count) {
  CHECK(records.size() - count <= marked_as_sent_again(records));
}

// For tests of refused requests and their order: behind a request that it refused, the mock takes the
// next one that is on its way, where a broker misses a sequence number and refuses that, too.
kafka::Settings one_request_at_a_time(const MockCluster& cluster) {
  kafka::Settings settings = settings_for(cluster.bootstrap());
  settings.properties.insert_or_assign("max.in.flight.requests.per.connection", "1");
  return settings;
}

TEST_CASE("the gateway starts without Kafka, and publishes when it comes") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  cluster.all_down();
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  published.append(0, 100);
  published.log.wait_for("waiting");
  auto status = published.publisher.status();
  CHECK(status.state == State::connecting);
  CHECK(status.reason.find(cluster.bootstrap()) != std::string::npos);
  CHECK(status.errors.contains("connect"));
  CHECK(status.published_records == 0);
  cluster.all_up();
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read(100), 100);
  published.wait_until([](const auto& now) { return now.state == State::publishing; });
  CHECK(published.log.lines().size() == 2);
}

TEST_CASE("brokers that go down and come back lose nothing and get nothing twice") {
  MockCluster cluster(3);
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  published.append(0, 500);
  reader.read(500);
  cluster.all_down();
  published.append(500, 500);
  published.wait_until([](const auto& now) { return now.state == State::waiting; });
  CHECK(published.publisher.status().errors.contains("connect"));
  cluster.all_up();
  const auto& records = reader.read_until(all_numbers(1'000));
  check_whole_and_in_order(records, 1'000);
  CHECK(records.size() == 1'000);
  const auto status =
      published.wait_until([](const auto& now) { return now.published_records == 1'000; });
  CHECK(status.state == State::publishing);
  CHECK(status.redelivered_records == 0);
}

TEST_CASE("leaders that move, and errors that pass, are librdkafka's business") {
  MockCluster cluster(3);
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  for (std::uint64_t round = 0; round < 10; ++round) {
    for (std::int32_t partition = 0; partition < 4; ++partition)
      cluster.set_leader(kTopic, partition, static_cast<std::int32_t>(round) % 3 + 1);
    cluster.fail(Request::produce,
                 {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                  RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
    published.append(round * 100, 100);
  }
  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records = reader.read_until(all_numbers(1'000));
  check_whole_and_in_order(records, 1'000);
  CHECK(published.publisher.status().errors.empty());
}

TEST_CASE("after an error that is final the producer begins again, in order, and says so") {
  const auto error =
      GENERATE(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_INVALID_RECORD,
               RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  MockCluster cluster(2);
  cluster.create_topic(kTopic);
  PublishedJournal published(one_request_at_a_time(cluster));
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  published.append(0, 300);
  reader.read(300);
  cluster.fail(Request::produce, {error});
  published.append(300, 2'000);
  const auto status = published.wait_until([](const auto& now) {
    return now.lag.records == 0 && now.published_records >= 2'300 && now.queued_records == 0;
  });
  const auto& records = reader.read_until([&, all = all_numbers(2'300)](const auto& read) mutable {
    return all(read) && marked_as_sent_again(read) >= status.redelivered_records;
  });
  check_whole_and_in_order(records, 2'300);
  check_marks(records, 2'300);
  CHECK(status.state == State::publishing);
  const bool authorization = error != RD_KAFKA_RESP_ERR_INVALID_RECORD;
  CHECK(status.errors.contains(authorization ? "authorization" : "other"));
  CHECK(status.redelivered_records == marked_as_sent_again(records));
  // What was on its way, no more.
  CHECK(status.redelivered_records <= 2'000);
  CHECK(published.log.count("waiting") == 1);
}

TEST_CASE("many final errors in a row lose nothing and keep the order") {
  MockCluster cluster(2);
  cluster.create_topic(kTopic);
  PublishedJournal published(one_request_at_a_time(cluster));
  published.publisher.start();
  for (std::uint64_t round = 0; round < 10; ++round) {
    cluster.fail(Request::produce,
                 {RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_NO_ERROR,
                  RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR__TRANSPORT});
    published.append(round * 300, 300, {.accounts = 30});
  }
  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records = reader.read_until(all_numbers(3'000));
  check_whole_and_in_order(records, 3'000);
  check_marks(records, 3'000);
}

TEST_CASE("a fatal error of the idempotent producer is followed by a new producer") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(one_request_at_a_time(cluster));
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  published.append(0, 100);
  reader.read(100);
  cluster.fail(Request::produce, {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  published.append(100, 900);
  check_whole_and_in_order(reader.read_until(all_numbers(1'000)), 1'000);
  published.wait_until([](const auto& now) { return now.state == State::publishing; });
  CHECK(published.publisher.status().errors.contains("fatal"));
}

TEST_CASE("a producer id that is not granted keeps the publisher waiting") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  cluster.fail(Request::init_producer_id,
               std::vector(3, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED));
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.append(0, 100);
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read_until(all_numbers(100)), 100);
  published.wait_until([](const auto& now) { return now.state == State::publishing; });
  CHECK(published.publisher.status().errors.at("authorization") == 3);
  CHECK(published.log.count("waiting") == 1);
}

TEST_CASE("a topic that is not there is waited for") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  cluster.topic_error(kTopic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  published.append(0, 100);
  published.log.wait_for("waiting");
  published.wait_until([](const auto& now) { return now.errors.contains("unknown_topic"); });
  CHECK(published.publisher.status().published_records == 0);
  cluster.topic_error(kTopic, RD_KAFKA_RESP_ERR_NO_ERROR);
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read_until(all_numbers(100)), 100);
}

TEST_CASE("a topic that calls records too large gets smaller ones") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  // 4 MiB is assumed; the second refusal leaves 1 MiB.
  cluster.fail(Request::produce, std::vector(2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
  published.append(0, 1, {.accounts = 1, .response_bytes = 1'500'000});
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records = reader.read_until(all_numbers(1));
  v1::Exchange exchange;
  REQUIRE(exchange.ParseFromString(*records.back().value));
  CHECK(records.back().value->size() <= 1 << 20);
  CHECK(records.back().value->size() > 900'000);
  CHECK(exchange.response().body().capture() == v1::CAPTURE_TRUNCATED);
  CHECK(exchange.response().body().reason() == "topic");
  CHECK(exchange.response().body().size() == 1'500'000);
  const auto status = published.wait_until(
      [](const auto& now) { return now.published_records == 1 && now.queued_records == 0; });
  CHECK(status.cut_bodies == 1);
  CHECK(status.errors.at("too_large") == 2);
}

TEST_CASE("records that a slow broker has not acknowledged are sent again after stopping") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  segue::test::TempDir folder;
  {
    Log log;
    Journal journal(published_journal_settings(folder / "journal"), 1, kKiB);
    Publisher publisher(settings_for(cluster.bootstrap()), journal,
                        {.log = log.sink(), .timings = quick()});
    publisher.start();
    log.wait_for("publishing");
    cluster.delay(1, 60'000);
    for (std::uint64_t n = 0; n < 50; ++n) append(journal.lane(0), exchange_number(n));
    const Deadline deadline;
    while (publisher.status().queued_records == 0 && deadline.left() > 0) std::this_thread::yield();
    REQUIRE(publisher.status().queued_records > 0);
  }
  cluster.delay(1, 0);
  Log log;
  Journal journal(published_journal_settings(folder / "journal"), 1, kKiB);
  Publisher publisher(settings_for(cluster.bootstrap()), journal,
                      {.log = log.sink(), .timings = quick()});
  publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records =
      reader.read_until([](const auto& read) { return marked_as_sent_again(read) >= 50; });
  check_whole_and_in_order(records, 50);
  publisher.finish(60s);
  CHECK(publisher.status().redelivered_records == 50);
}

TEST_CASE("without its schema registry the publisher waits, and the journal keeps") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  auto settings = settings_for(cluster.bootstrap());
  settings.registry.emplace();
  settings.registry->url = "http://127.0.0.1:1";  // nobody listens there
  PublishedJournal published(settings);
  published.append(0, 10);
  published.publisher.start();
  published.log.wait_for("schema registry: ");
  const auto status = published.wait_until(
      [](const auto& now) { return now.errors.contains("registry") && now.lag.records == 10; });
  CHECK(status.state == State::waiting);
  CHECK(status.published_records == 0);
  published.publisher.finish(10ms);
}

TEST_CASE("finish publishes what is left also when records fail on the way") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  published.append(0, 300);
  published.wait_until([](const auto& now) { return now.published_records == 300; });
  cluster.fail(Request::produce, {RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_RECORD,
                                  RD_KAFKA_RESP_ERR_INVALID_RECORD});
  published.append(300, 200);
  published.publisher.finish(std::chrono::seconds(60));
  CHECK(published.publisher.status().lag.records == 0);
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read_until(all_numbers(500)), 500);
}

TEST_CASE("finish gives up when its patience is over, and the journal keeps") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  cluster.all_down();
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  published.append(0, 10);
  published.publisher.finish(100ms);
  CHECK(published.publisher.status().published_records == 0);
  CHECK(published.publisher.status().lag.records == 10);
}

}  // namespace
}  // namespace segue::recorder
