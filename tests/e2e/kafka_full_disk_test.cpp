// The gateway runs out of room while Kafka is away: exactly what `when_full` says, counted, and
// everything that found room is published later.

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
constexpr int kMost = 3'000;  // several times what there is room for

struct Answers {
  std::set<std::string> served;
  int refused = 0;
};

Answers send_many(const GatewayProcess& gateway, std::string_view request, int count) {
  Answers answers;
  RawClient client(gateway.port());
  for (int i = 0; i < count; ++i) {
    const auto answer = client.exchange(request);
    if (answer.status() == 200) {
      answers.served.insert(answer.field("segue-exchange-id").value());
      continue;
    }
    REQUIRE(answer.status() == 503);
    REQUIRE(answer.field("segue-error") == "journal_full");
    ++answers.refused;
  }
  return answers;
}

// Kafka is away, requests fill what room there is; then it comes back.
void fill_and_mend(const std::string& journal, const std::filesystem::path& journal_path) {
  KafkaBroker broker;
  const KafkaTopic topic(broker);
  ScriptedBackend backend(answer_always(response_with(200, std::string(16 << 10, 'x'))));
  ConfigText config =
      publishing_config(backend.port(), {broker.bootstrap(), topic.name(), "", journal});
  config.with("cores", "{ count: 1 }");
  GatewayProcess gateway(config, journal_path);
  auto expected = send_some(gateway, 50);
  wait_until_published(topic, expected);
  broker.kill();

  const auto posts = send_many(gateway, kPost, kMost);
  CHECK(!posts.served.empty());
  CHECK(posts.refused > 0);
  const auto gets = send_many(gateway, kGet, kMost);
  CHECK(gets.refused == 0);
  CHECK(gets.served.size() == kMost);
  const auto dropped = gateway.metric("segue_journal_dropped_total", {"reason=\"exchange\""});
  CHECK(dropped > 0);
  // The backend never heard of a refused request.
  CHECK(backend.requests().size() == 50 + posts.served.size() + kMost);
  CHECK(gateway.metric("segue_record_exchanges_total", {"result=\"refused\""}) == posts.refused);
  CHECK(kafka_readiness(gateway).status == 200);

  broker.up();
  expected.insert(posts.served.begin(), posts.served.end());
  wait_for_state(gateway, "publishing");
  // All that the journal took; a refusal is recorded as well where its few bytes find room.
  const auto taken = gateway.metric("segue_record_exchanges_total", {"result=\"recorded\""});
  gateway.wait_for_metric("segue_record_exchanges_total", {"sink=\"kafka\""}, taken);
  const auto published = wait_until_published(topic, expected);
  CHECK(published.ids.size() == static_cast<std::size_t>(taken));
  CHECK(published.silent_repetitions == 0);
  // Of the safe ones exactly those are missing that were counted as dropped.
  const auto kept = std::ranges::count_if(
      gets.served, [&](const std::string& id) { return published.ids.contains(id); });
  CHECK(kMost - kept == dropped);
  // There is room again.
  const auto later = send_some(gateway, 100, kPost);
  expected.insert(later.begin(), later.end());
  wait_until_published(topic, expected);
}

TEST_CASE(
    "the disk fills up while Kafka is away: unsafe refused, safe served and counted, all that "
    "found room published") {
  const SmallDisk disk(40 << 20);
  const auto journal = disk.path() / "journal";
  fill_and_mend(fmt::format("dir: \"{}\", max_size: 1GiB, segment: 4MiB, when_full: {{ safe: drop, "
                            "unsafe: refuse }}",
                            journal.string()),
                journal);
}

TEST_CASE("the journal reaches its size while Kafka is away: the same") {
  const TempDir folder;
  const auto journal = folder / "journal";
  fill_and_mend(
      fmt::format("dir: \"{}\", max_size: 16MiB, segment: 2MiB, when_full: {{ safe: drop, "
                  "unsafe: refuse }}",
                  journal.string()),
      journal);
}

}  // namespace
}  // namespace segue::test
