// seguectl cat, tail and show on a topic, as a user runs them, over a real broker.
#include <signal.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "kafka/confluent_frame.hpp"
#include "recorder/exchange.pb.h"
#include "tests/kafka/record_producer.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr std::int64_t kTime = 1'763'715'600'000;  // 2025-11-21T09:00:00Z in milliseconds

v1::Exchange exchange(std::uint64_t n) {
  v1::Exchange made;
  made.set_id(std::string(id_number(n).raw()));
  made.set_created_at((kTime + static_cast<std::int64_t>(n)) * 1000);
  made.set_kind(v1::KIND_PRIMARY);
  made.set_outcome(v1::OUTCOME_COMPLETED);
  made.set_account_id("account");
  made.mutable_request()->set_method("GET");
  made.mutable_request()->set_target("/searches/" + std::to_string(n));
  made.mutable_response()->set_status(200);
  return made;
}

RecordToSend record(const v1::Exchange& made, std::int32_t partition) {
  const std::string kind = made.kind() == v1::KIND_FINISH ? "FINISH" : "PRIMARY";
  return {partition, made.account_id(), made.SerializeAsString(), made.created_at() / 1000,
          {{"segue-kind", kind}}};
}

RecordToSend record(std::uint64_t n, std::int32_t partition) {
  return record(exchange(n), partition);
}

RecordToSend framed(RecordToSend plain) {
  std::string value;
  kafka::append_confluent_header(value, 7);
  plain.value = value + plain.value;
  return plain;
}

std::string source(const KafkaTopic& topic) {
  return "kafka://" + KafkaBroker::shared().bootstrap() + "/" + topic.name();
}

void send(const KafkaTopic& topic, const std::vector<RecordToSend>& records) {
  produce(KafkaBroker::shared(), topic.name(), records);
}

CommandResult seguectl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), seguectl_path());
  return run_command(arguments);
}

// The numbers of the exchanges that a command prints as JSON.
std::string numbers(const std::string& out) {
  std::string found;
  for (std::size_t at = out.find("\"target\":\"/searches/"); at != std::string::npos;
       at = out.find("\"target\":\"/searches/", at + 1)) {
    const std::size_t begin = at + std::string_view("\"target\":\"/searches/").size();
    found += (found.empty() ? "" : " ") + out.substr(begin, out.find('"', begin) - begin);
  }
  return found;
}

TEST_CASE("cat prints plain and framed exchanges of all partitions by time, each once") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  send(topic, {record(1, 0), framed(record(2, 1)), record(3, 2), framed(record(4, 0)),
               record(5, 1), record(4, 0), {2, "other", "{\"no\":\"exchange\"}", kTime + 9}});
  const CommandResult result = seguectl({"cat", source(topic), "-o", "json"});
  CHECK(result.exit_code == 0);
  CHECK(numbers(result.out) == "1 2 3 4 5");
  CHECK(result.err.find("1 records are no exchanges") != std::string::npos);
  CHECK(result.err.find("1 records were there twice") != std::string::npos);
  CHECK(numbers(seguectl({"cat", source(topic), "-o", "json", "--since", "2025-11-21T09:00:00.004Z"})
                    .out) == "4 5");
  CHECK(numbers(seguectl({"cat", source(topic), "-o", "json", "--limit", "2"}).out) == "1 2");
  CHECK(seguectl({"cat", source(topic)}).out.starts_with("TIME (UTC)"));
}

TEST_CASE("a FINISH in the topic turns its exchange to CLIENT_ABORTED") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  v1::Exchange finish;
  finish.set_id(std::string(id_number(9).raw()));
  finish.set_created_at((kTime + 5'000) * 1000);
  finish.set_kind(v1::KIND_FINISH);
  finish.set_parent_id(std::string(id_number(1).raw()));
  finish.set_outcome(v1::OUTCOME_CLIENT_ABORTED);
  finish.mutable_finish()->set_bytes_to_client(99);
  send(topic, {record(1, 0), record(2, 0), record(finish, 1)});
  for (const char* command : {"cat", "tail"}) {
    const CommandResult result = seguectl({command, source(topic), "-o", "json"});
    CHECK(numbers(result.out) == "1 2");
    CHECK(result.out.find("CLIENT_ABORTED") < result.out.find("COMPLETED"));
  }
  const auto shown = seguectl({"show", id_number(1).text(), source(topic), "--as", "json"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find("CLIENT_ABORTED") != std::string::npos);
}

TEST_CASE("tail prints the last of all partitions, wherever they are") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  std::vector<RecordToSend> records;
  for (std::uint64_t n = 1; n <= 40; ++n) records.push_back(record(n, n <= 38 ? 0 : 1));
  send(topic, records);
  CHECK(numbers(seguectl({"tail", source(topic), "-n", "4", "-o", "json"}).out) == "37 38 39 40");
}

TEST_CASE("tail -f prints what comes and ends by SIGINT with 130") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  const TempDir output;
  send(topic, {record(1, 0)});
  Process tail({seguectl_path(), "tail", "-f", source(topic), "-o", "json"}, output / "out");
  const auto wait_for = [&](const std::string& wanted) {
    const Deadline deadline;
    while (numbers(read_whole_file(output / "out")) != wanted) REQUIRE(deadline.left() > 0);
  };
  wait_for("1");
  send(topic, {record(2, 1)});
  wait_for("1 2");
  send(topic, {record(3, 0)});
  wait_for("1 2 3");
  tail.signal(SIGINT);
  CHECK(tail.wait().exit_code == 130);
}

TEST_CASE("show finds an exchange in a topic, and says when there is none") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  send(topic, {record(0x1234, 0), record(0x5678, 1)});
  const CommandResult found = seguectl({"show", id_number(0x5678).text(), source(topic)});
  CHECK(found.exit_code == 0);
  CHECK(found.out.find("GET /searches/22136") != std::string::npos);
  const CommandResult none = seguectl({"show", "ffffffff", source(topic)});
  CHECK(none.exit_code == 1);
  CHECK(none.err.find(topic.name()) != std::string::npos);
}

TEST_CASE("without a SOURCE the topic of the configuration is read") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 1});
  send(topic, {record(1, 0)});
  const TempDir folder;
  const std::string config = "version: 1\nlisteners: { public: { address: \"127.0.0.1:8080\" } }\n"
                             "backends: { legacy: { endpoints: [\"127.0.0.1:8081\"] } }\n"
                             "routes: { all: { match: { prefix: / }, to: legacy } }\n"
                             "defaults: { record: { redact: { headers: [cookie] } } }\n"
                             "recorder: { journal: { dir: " +
                             (folder / "journal").string() + " }, kafka: { brokers: [\"" +
                             KafkaBroker::shared().bootstrap() + "\"], topic: " + topic.name() +
                             " } }\n";
  const std::string file = folder.write("segue.yaml", config).string();
  const CommandResult result = seguectl({"cat", "-c", file, "-o", "json"});
  CHECK(result.err.empty());
  CHECK(numbers(result.out) == "1");
  CHECK(seguectl({"topics", "describe", "-c", file, "--over", "0s"}).out.find(topic.name()) !=
        std::string::npos);
}

TEST_CASE("a server that cannot be had is exit 3 and one line; a wrong SOURCE is exit 2") {
  const CommandResult away =
      seguectl({"cat", "kafka://127.0.0.1:1/segue.exchanges", "--timeout", "0.5"});
  CHECK(away.exit_code == 3);
  CHECK(std::count(away.err.begin(), away.err.end(), '\n') == 1);
  CHECK(away.err.find("127.0.0.1:1") != std::string::npos);
  const KafkaTopic missing = KafkaTopic::named(KafkaBroker::shared(), random_topic_name());
  const CommandResult unknown = seguectl({"tail", source(missing)});
  CHECK(unknown.exit_code == 3);
  CHECK(unknown.err.find("there is no topic") != std::string::npos);
  CHECK(seguectl({"cat", "kafka://user:secret@127.0.0.1:1/t"}).exit_code == 2);
  CHECK(seguectl({"cat", "kafka://127.0.0.1:1"}).exit_code == 2);
  CHECK(seguectl({"cat", "kafka://127.0.0.1:1/t", "--property", "no.such.property=1"}).exit_code ==
        2);
  CHECK(seguectl({"cat", "archive:x"}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
