// What the Kafka commands say and read, without a broker.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "cli/duration.hpp"
#include "cli/figures.hpp"
#include "cli/kafka_options.hpp"
#include "cli/progress.hpp"
#include "cli/record_search.hpp"
#include "cli/seen_ids.hpp"
#include "cli/topics_plan.hpp"

namespace segue::cli {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a progress bar says how far, how fast and how long yet") {
  CHECK(progress_text(0, 100, milliseconds(1'000)) ==
        "[------------------------]   0%  0/s  ETA ?");
  CHECK(progress_text(12'000, 24'000, milliseconds(2'000)) ==
        "[############------------]  50%  6,000/s  ETA 0:02");
  CHECK(progress_text(10, 36'010, milliseconds(10'000)).ends_with("ETA 10:00:00"));
  CHECK(progress_text(200, 100, milliseconds(1'000)).starts_with("[########################] 100%"));
}

TEST_CASE("durations and figures read as people write them") {
  CHECK(parse_duration("7d") == milliseconds(604'800'000));
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("0s") == milliseconds(0));
  for (const char* wrong : {"", "7", "d", "-1s", "1.5h", "7 d", "99999999999d"})
    CHECK_FALSE(parse_duration(wrong).has_value());
  CHECK(duration_text(604'800'000) == "7 d");
  CHECK(duration_text(5'400'000) == "90 min");
  CHECK(duration_text(1'500) == "1500 ms");
  CHECK(grouped(std::int64_t{-1234567}) == "-1,234,567");
  CHECK(grouped(std::uint64_t{999}) == "999");
}

TEST_CASE("a hot key's buckets are its account's, and nothing else that begins like it") {
  CHECK(is_key_of("acc", "acc"));
  CHECK(is_key_of("acc#12", "acc"));
  for (const char* other : {"acc#", "acc#x", "acc2", "ac", "acc#1#2"})
    CHECK_FALSE(is_key_of(other, "acc"));
}

TEST_CASE("brokers are taken apart at commas") {
  CHECK(split_brokers("a:1,b:2") == std::vector<std::string>{"a:1", "b:2"});
  CHECK(split_brokers(",a:1,") == std::vector<std::string>{"a:1"});
  CHECK(split_brokers("").empty());
}

TEST_CASE("ids are remembered up to a bound") {
  SeenIds seen;
  CHECK_FALSE(seen.seen_before("first"));
  CHECK(seen.seen_before("first"));
  for (std::size_t n = 0; n < SeenIds::kRemembered; ++n) seen.seen_before(std::to_string(n));
  CHECK_FALSE(seen.seen_before("first"));
}

kafka::TopicPlace place(std::size_t partitions) {
  kafka::TopicPlace topic{"t", {}};
  for (std::size_t id = 0; id < partitions; ++id)
    topic.partitions.push_back({static_cast<std::int32_t>(id), 1, {1, 2, 3}, {1, 2, 3}});
  return topic;
}

TEST_CASE("a plan leaves alone what was not asked for, and a limit that is high enough") {
  using From = kafka::ConfigValue::From;
  const kafka::ConfigValues config{{"max.message.bytes", {"9000000", From::topic}},
                                   {"cleanup.policy", {"delete", From::standard}},
                                   {"retention.ms", {"1", From::topic}}};
  CHECK(plan_topic("t", place(6), config, {}).nothing_to_do());
  TopicWishes copies;
  copies.replication = 2;
  CHECK(plan_topic("t", place(6), config, copies).refusals.size() == 1);
  TopicWishes compacted;
  compacted.compaction = TopicWishes::Compaction::yes;
  compacted.retention_millis = 86'400'000;
  const TopicPlan plan = plan_topic("t", std::nullopt, {}, compacted);
  CHECK(plan.create->config.at("cleanup.policy") == "compact,delete");
  CHECK(plan.create->partitions == TopicWishes::kPartitions);
  kafka::ConfigValues turned;
  for (const auto& [key, value] : plan.create->config) turned[key] = {value, From::topic};
  turned["cleanup.policy"].value = "delete,compact";
  turned["min.cleanable.dirty.ratio"].value = "0.10";
  CHECK(plan_topic("t", place(12), turned, compacted).nothing_to_do());
}

}  // namespace
}  // namespace segue::cli
