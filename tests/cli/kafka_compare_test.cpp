// seguectl compare on topics, as a user runs it, over a real broker.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/exchange.pb.h"
#include "tests/kafka/record_producer.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr std::int64_t kTime = 1'763'715'600'000;  // 2025-11-21T09:00:00Z in milliseconds
constexpr std::uint64_t kPairs = 220;

v1::Exchange exchange(std::uint64_t n, v1::Kind kind, const std::string& body) {
  v1::Exchange made;
  const bool primary = kind == v1::KIND_PRIMARY;
  made.set_id(std::string(id_number(primary ? n : n + 100'000).raw()));
  if (!primary) made.set_parent_id(std::string(id_number(n).raw()));
  made.set_created_at((kTime + static_cast<std::int64_t>(n)) * 1000 + (primary ? 0 : 500));
  made.set_kind(kind);
  made.set_outcome(v1::OUTCOME_COMPLETED);
  made.mutable_decision()->set_route("search-read");
  if (primary) made.mutable_decision()->set_shadow("sent");
  made.mutable_request()->set_method("GET");
  made.mutable_request()->set_target("/searches/42");
  v1::Response& response = *made.mutable_response();
  response.set_status(200);
  v1::Field& type = *response.add_fields();
  type.set_name("Content-Type");
  type.set_value("application/json");
  response.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  response.mutable_body()->set_content_type("application/json");
  response.mutable_body()->set_size(body.size());
  response.mutable_body()->set_content(body);
  return made;
}

RecordToSend record(const v1::Exchange& made, std::int32_t partition) {
  return {partition, "account", made.SerializeAsString(), made.created_at() / 1000, {}};
}

void send_primaries(const KafkaTopic& topic) {
  std::vector<RecordToSend> records;
  for (std::uint64_t n = 1; n <= kPairs; ++n)
    records.push_back(record(exchange(n, v1::KIND_PRIMARY, R"({"price":"1"})"),
                             static_cast<std::int32_t>(n % 2)));
  produce(KafkaBroker::shared(), topic.name(), records);
}

void send_shadows(const KafkaTopic& topic) {
  std::vector<RecordToSend> records;
  for (std::uint64_t n = 1; n <= kPairs; ++n)
    records.push_back(record(exchange(n, v1::KIND_SHADOW, R"({"price":1})"),
                             static_cast<std::int32_t>((n + 1) % 2)));
  produce(KafkaBroker::shared(), topic.name(), records);
}

std::string source(const KafkaTopic& topic) {
  return "kafka://" + KafkaBroker::shared().bootstrap() + "/" + topic.name();
}

CommandResult compare(std::vector<std::string> arguments) {
  std::vector<std::string> command{seguectl_path(), "compare"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

void expect_the_finding(const CommandResult& result) {
  INFO(result.err);
  REQUIRE(result.exit_code == 1);
  const auto json = boost::json::parse(result.out).as_object();
  CHECK(json.at("pairs").as_int64() == kPairs);
  CHECK(json.at("unpaired").at("primaries").as_int64() == 0);
  const auto& field = json.at("routes").at(0).at("fields").at(0).as_object();
  CHECK(field.at("field").as_string() == "$.price");
  CHECK(field.at("kind").as_string() == "type");
}

TEST_CASE("compare joins pairs of one topic, over its partitions") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  send_shadows(topic);  // before their primaries: a partition may be behind another
  send_primaries(topic);
  expect_the_finding(compare({source(topic), "-o", "json"}));
}

TEST_CASE("compare reads the shadows' own topic, named or configured") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  const KafkaTopic shadows(KafkaBroker::shared(), {.partitions = 2});
  send_primaries(topic);
  send_shadows(shadows);
  const CommandResult alone = compare({source(topic)});
  CHECK(alone.exit_code == 2);
  CHECK(alone.err.find("--shadow-topic") != std::string::npos);
  expect_the_finding(compare({source(topic), "-o", "json", "--shadow-topic", shadows.name()}));
  const TempDir folder;
  std::ofstream(folder / "segue.yaml") << fmt::format(
      "version: 1\n"
      "defaults: {{ record: {{ redact: {{ headers: [authorization, cookie] }} }} }}\n"
      "listeners: {{ public: {{ address: \"127.0.0.1:0\" }} }}\n"
      "backends: {{ legacy: {{ endpoints: [\"127.0.0.1:1\"] }} }}\n"
      "recorder: {{ keys: {{ account: {{ file: account.key }} }},\n"
      "            kafka: {{ brokers: [\"{}\"], topic: {}, topics: {{ shadow: {} }} }} }}\n"
      "routes: {{ all: {{ match: {{ prefix: / }}, to: legacy }} }}\n",
      KafkaBroker::shared().bootstrap(), topic.name(), shadows.name());
  std::ofstream(folder / "account.key") << std::string(32, 'k');
  const std::string config = (folder / "segue.yaml").string();
  expect_the_finding(compare({"-c", config, "-o", "json"}));
  const CommandResult pair = compare({"-c", config, "--pair", id_number(7 + 100'000).text()});
  CHECK(pair.exit_code == 1);
  CHECK(pair.out.find("body $.price: other type") != std::string::npos);
}

TEST_CASE("a broker that is not there is a remote failure: exit 3") {
  const CommandResult result = compare({"kafka://127.0.0.1:1/t", "--timeout", "1"});
  CHECK(result.exit_code == 3);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
}

}  // namespace
}  // namespace segue::test
