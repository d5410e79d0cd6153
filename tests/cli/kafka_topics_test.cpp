// seguectl topics, as a user runs it, over a real broker.
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "recorder/exchange.pb.h"
#include "tests/kafka/record_producer.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/schema_registry.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr std::int64_t kTime = 1'763'715'600'000;

CommandResult topics(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {seguectl_path(), "topics"});
  arguments.insert(arguments.end(), {"--brokers", KafkaBroker::shared().bootstrap()});
  return run_command(arguments);
}

boost::json::object described(const std::string& topic) {
  const CommandResult result =
      topics({"describe", topic, "--over", "0s", "-o", "json", "--timeout", "30"});
  CHECK(result.exit_code == 0);
  return boost::json::parse(result.out).at("topics").at(0).as_object();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("ensure plans, creates, finds all well, and changes what differs") {
  const std::string topic = random_topic_name();
  const CommandResult plan = topics({"ensure", topic});
  CHECK(plan.exit_code == 1);
  CHECK(has(plan.out, "create"));
  CHECK(has(plan.err, "--yes"));
  CHECK(topics({"describe", topic}).exit_code == 3);  // nothing was made

  CHECK(topics({"ensure", topic, "--yes"}).exit_code == 0);
  const CommandResult again = topics({"ensure", topic});
  CHECK(again.exit_code == 0);
  CHECK(has(again.out, "ok"));
  const auto made = described(topic);
  CHECK(made.at("partitions").as_array().size() == 12);
  CHECK(made.at("config").at("max.message.bytes").as_string() == "4194304");
  CHECK(made.at("config").at("retention.ms").as_string() == "604800000");

  const CommandResult differs = topics({"ensure", topic, "--retention", "1d"});
  CHECK(differs.exit_code == 1);
  CHECK(has(differs.out, "retention.ms from 604800000 (7 d) to 86400000 (1 d)"));
  CHECK(topics({"ensure", topic, "--retention", "1d", "--yes"}).exit_code == 0);
  CHECK(described(topic).at("config").at("retention.ms").as_string() == "86400000");
  CHECK(topics({"ensure", topic}).exit_code == 0);  // what was not said stays
}

TEST_CASE("more partitions are refused with what they do to order, fewer in any case") {
  const std::string topic = random_topic_name();
  REQUIRE(topics({"ensure", topic, "--partitions", "2", "--yes"}).exit_code == 0);
  const CommandResult refused =
      topics({"ensure", topic, "--partitions", "4", "--retention", "1d", "--yes"});
  CHECK(refused.exit_code == 2);
  CHECK(has(refused.out, "most keys move to another one"));
  CHECK(described(topic).at("config").at("retention.ms").as_string() == "604800000");
  CHECK(topics({"ensure", topic, "--partitions", "4", "--accept-reordering", "--yes"}).exit_code ==
        0);
  CHECK(described(topic).at("partitions").as_array().size() == 4);
  CHECK(topics({"ensure", topic, "--partitions", "2", "--accept-reordering", "--yes"}).exit_code ==
        2);
}

TEST_CASE("compaction happens only where it is asked for, with segments it can work on") {
  const std::string topic = random_topic_name();
  const CommandResult made = topics({"ensure", topic, "--partitions", "1", "--compact", "--yes"});
  CHECK(made.exit_code == 0);
  CHECK(has(made.err, "do not archive it"));
  const auto config = described(topic).at("config").as_object();
  CHECK(config.at("cleanup.policy").as_string() == "compact");
  for (const char* key : {"min.compaction.lag.ms", "segment.bytes", "segment.ms",
                          "min.cleanable.dirty.ratio", "max.compaction.lag.ms"})
    CHECK(config.contains(key));
  const CommandResult kept = topics({"ensure", topic});
  CHECK(kept.exit_code == 1);
  CHECK(has(kept.out, "cleanup.policy from compact to delete"));
}

TEST_CASE("describe shows offsets, skew, readers and what stands in the registry") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  produce(KafkaBroker::shared(), topic.name(), {{0, "a", "1"}, {0, "a", "2"}, {0, "a", "3"},
                                                {1, "b", "4"}});
  commit(KafkaBroker::shared(), topic.name() + "-readers", topic.name(), {{0, 1}, {1, 1}});
  const auto one = described(topic.name());
  CHECK(one.at("records").to_number<int>() == 4);
  CHECK(one.at("skew").to_number<double>() == 1.5);
  CHECK(one.at("partitions").at(0).at("high").to_number<int>() == 3);
  CHECK(one.at("groups").at(0).at("group").as_string() == topic.name() + "-readers");
  CHECK(one.at("groups").at(0).at("lag").to_number<int>() == 2);
  const CommandResult text = topics({"describe", topic.name(), "--over", "100ms"});
  CHECK(text.exit_code == 0);
  for (const char* part : {"brokers", "controller", "skew 1.50", "records/s", "PARTITION"})
    CHECK(has(text.out, part));
}

TEST_CASE("peek shows records with key, headers and what they decode to") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  v1::Exchange exchange;
  exchange.set_id(std::string(id_number(1).raw()));
  exchange.set_created_at(kTime * 1000);
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target("/needle/1");
  exchange.mutable_response()->mutable_body()->set_content("the body of it");
  produce(KafkaBroker::shared(), topic.name(),
          {{0, "acc", exchange.SerializeAsString(), kTime, {{"segue-route", "search"}}},
           {1, "raw", std::string("\x01\x02\xff", 3), kTime + 1},
           {1, "acc#3", "plain text", kTime + 2}});
  const CommandResult all = topics({"peek", topic.name()});
  CHECK(all.exit_code == 0);
  for (const char* part :
       {"/0 @0", "key acc", "segue-route: search", "GET /needle/1", "3 bytes: 0102ff", "plain text"})
    CHECK(has(all.out, part));
  const CommandResult json = topics({"peek", topic.name(), "-n", "1", "-o", "json"});
  CHECK(boost::json::parse(json.out).at("value").as_string() == "plain text");
  const CommandResult from = topics({"peek", topic.name(), "--partition", "1", "--offset", "1"});
  CHECK_FALSE(has(from.out, "0102ff"));
  CHECK(has(from.out, "plain text"));
  CHECK(has(topics({"peek", topic.name(), "--time", "2025-11-21T09:00:00.002Z"}).out, "acc#3"));
  const CommandResult key = topics({"peek", topic.name(), "--key", "raw"});
  CHECK(has(key.out, "0102ff"));
  CHECK_FALSE(has(key.out, "plain text"));

  const auto lines = [&](const std::vector<std::string>& how) {
    std::vector<std::string> arguments{"search", topic.name(), "-o", "json"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const CommandResult result = topics(arguments);
    CHECK(result.exit_code == (result.out.empty() ? 1 : 0));
    return std::count(result.out.begin(), result.out.end(), '\n');
  };
  CHECK(lines({"--value", "needle"}) == 1);
  CHECK(lines({"--value", "body of it"}) == 1);
  CHECK(lines({"--value", "nowhere"}) == 0);
  CHECK(lines({"--key", "acc"}) == 2);  // a hot key's buckets are of the account, too
  CHECK(lines({"--header", "segue-route=search"}) == 1);
  CHECK(lines({"--key", "acc", "--until", "2025-11-21T09:00:00.001Z"}) == 1);
  CHECK(lines({"--key", "acc", "--limit", "1"}) == 1);
  CHECK(topics({"search", topic.name()}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
