// What the publisher makes of a journal when nothing goes wrong.

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "exchange/error.hpp"
#include "recorder/journal/cursor.hpp"
#include "runtime/clock.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/mock_cluster.hpp"
#include "tests/recorder/publisher/published_journal.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using namespace std::chrono_literals;
using State = PublisherStatus::State;

TEST_CASE("what is in the journal, and what is appended later, comes to the topic in order") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.append(0, 500);
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  reader.read(500);
  published.append(500, 500);
  const auto& records = reader.read(1000);
  check_whole_and_in_order(records, 1000);
  CHECK(records.size() == 1000);

  const auto status = published.wait_until(
      [](const PublisherStatus& now) { return now.published_records == 1000; });
  CHECK(status.state == State::publishing);
  CHECK(status.reason.empty());
  CHECK(status.redelivered_records == 0);
  CHECK(status.unkeyed_records == 0);
  CHECK(status.errors.empty());
  CHECK(published.log.lines().size() == 1);
}

TEST_CASE("a record carries key, headers and timestamp of its exchange") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  auto exchange = exchange_number(7);
  exchange.mutable_trace()->set_trace_id(std::string(16, '\x0a'));
  exchange.mutable_trace()->set_span_id(std::string(8, '\xb1'));
  exchange.mutable_trace()->set_flags(1);
  append(published.journal.lane(0), exchange);
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  const KafkaRecord record = reader.read(1).front();
  CHECK(record.key == "account-7");
  CHECK(record.value == exchange.SerializeAsString());
  CHECK(record.timestamp_ms == exchange.created_at() / 1000);
  const std::vector<std::pair<std::string, std::string>> headers{
      {"segue-id", id_of(7).text()},
      {"segue-kind", "PRIMARY"},
      {"segue-route", "orders"},
      {"segue-status", "201"},
      {"content-type", "application/x-protobuf"},
      {"traceparent", "00-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a-b1b1b1b1b1b1b1b1-01"}};
  CHECK(record.headers == headers);
}

TEST_CASE("an exchange from the future is published as of now: brokers refuse such timestamps") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  auto exchange = exchange_number(7);
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1'000'000;
  exchange.set_created_at(runtime::unix_micros_now() + kDay);
  append(published.journal.lane(0), exchange);
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  const KafkaRecord record = reader.read(1).front();
  CHECK(record.timestamp_ms <= runtime::unix_micros_now() / 1000);
  CHECK(record.value == exchange.SerializeAsString());
}

TEST_CASE("shadows go to their own topic when there is one") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  cluster.create_topic("shadows");
  auto settings = settings_for(cluster.bootstrap());
  settings.shadow_topic = "shadows";
  PublishedJournal published(settings);
  published.append(0, 10);
  auto shadow = exchange_number(10);
  shadow.set_kind(v1::KIND_SHADOW);
  append(published.journal.lane(0), shadow);
  published.publisher.start();
  TopicReader usual(cluster.bootstrap(), kTopic);
  TopicReader shadows(cluster.bootstrap(), "shadows");
  check_whole_and_in_order(usual.read(10), 10);
  CHECK(number_of(shadows.read(1).front()) == 10);
}

TEST_CASE("a promise is kept when Kafka has acknowledged, and whoever waits is told") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  auto timings = quick();
  timings.shortest_idle = timings.longest_idle = 10min;  // only the nudge makes it look
  PublishedJournal published(settings_for(cluster.bootstrap()), timings);
  Promise& promise = published.publisher.acknowledged(0);
  std::mutex mutex;
  std::condition_variable kept;
  promise.on_kept([&] {
    const std::lock_guard lock(mutex);
    kept.notify_all();
  });
  published.publisher.start();
  published.wait_until([](const auto& status) { return status.state == State::publishing; });
  for (std::uint64_t n = 0; n < 20; ++n) {
    append(published.journal.lane(0), exchange_number(n));
    promise.want(n + 1);
    std::unique_lock lock(mutex);
    REQUIRE(kept.wait_until(lock, Deadline{}.at(), [&] { return promise.reached(n + 1); }));
  }
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read(20), 20);
}

TEST_CASE("finish publishes what is left and stores the cursor") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.start();
  published.append(0, 2'000);
  published.publisher.finish(60s);
  CHECK(published.publisher.status().published_records == 2'000);
  CHECK(published.publisher.status().queued_records == 0);
  const auto cursor = load_cursor(published.journal.run(), kPublisherConsumer);
  REQUIRE(cursor.has_value());
  CHECK(cursor->position(0) == 1'000);
  CHECK(cursor->position(1) == 1'000);
  TopicReader reader(cluster.bootstrap(), kTopic);
  check_whole_and_in_order(reader.read(2'000), 2'000);
}

TEST_CASE("a journal larger than what may be in flight passes through") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.append(0, 30'000, {.accounts = 500, .response_bytes = 100});
  published.publisher.start();
  published.publisher.finish(60s);
  CHECK(published.publisher.status().published_records == 30'000);
  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records = reader.read(30'000);
  check_whole_and_in_order(records, 30'000);
}

TEST_CASE("a property that librdkafka refuses is an error at the start") {
  auto settings = settings_for("127.0.0.1:9");
  settings.properties["linger.ms"] = "soon";
  segue::test::TempDir folder;
  Journal journal(published_journal_settings(folder / "journal"), 1, kKiB);
  CHECK_THROWS_AS(Publisher(settings, journal), StartupError);
}

TEST_CASE("a publisher that was never started ends like any other") {
  MockCluster cluster;
  PublishedJournal published(settings_for(cluster.bootstrap()));
  published.publisher.finish(1s);
}

}  // namespace
}  // namespace segue::recorder
