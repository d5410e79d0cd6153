// `seguectl archive` and `seguectl restore` on a real broker.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <memory>
#include <random>
#include <set>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/kafka/record_producer.hpp"

namespace segue::test {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A topic, an archive of it, and the commands about them.
class Archiving {
 public:
  explicit Archiving(const KafkaBroker& broker, int partitions = 1)
      : broker_(broker), topic_(broker, {.partitions = partitions}) {}

  KafkaTopic& topic() { return topic_; }
  const std::string& group() const { return topic_.name(); }
  std::string source() const {
    return fmt::format("kafka://{}/{}", broker_.bootstrap(), topic_.name());
  }
  std::string archive() const { return "archive:" + (folder_ / "archive").string(); }

  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> all{seguectl_path(), "archive", source(), "--to", archive(),
                                 "--group", group(), "--manifest", "none", "--timeout", "5",
                                 "--staging", (folder_ / "staging").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  CommandResult archive_once(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"--once"};
    all.insert(all.end(), more.begin(), more.end());
    return run_command(command(all));
  }
  // An instance that goes on until it is told to end; small files, often.
  std::unique_ptr<Process> start_instance() {
    return std::make_unique<Process>(command({"--flush-every", "200ms", "--flush-rows", "100"}),
                                     folder_ / fmt::format("out-{}", ++started_));
  }
  CommandResult restore(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{seguectl_path(), "restore", source(), "--from", archive()};
    all.insert(all.end(), more.begin(), more.end());
    return run_command(all);
  }
  // Rows of the archive, and how many places in the topic they are.
  std::string counted() const {
    const auto answer = run_command(
        {seguectl_path(), "query",
         "SELECT count(*) AS n, count(DISTINCT concat(source, '/', \"partition\", '/', "
         "\"offset\")) AS places FROM archived",
         archive(), "--no-tail", "-o", "csv"});
    INFO(answer.err);
    CHECK(answer.exit_code == 0);
    return answer.out;
  }
  // Exchanges of the archive and of what the topic has behind it.
  std::string counted_with_tail() const {
    const auto config = folder_.write(
        "both.yaml",
        fmt::format("version: 1\nlisteners: {{ public: {{ address: \"127.0.0.1:1\" }} }}\n"
                    "backends: {{ legacy: {{ endpoints: [\"127.0.0.1:2\"] }} }}\n"
                    "routes: {{ all: {{ match: {{ prefix: / }}, to: legacy, record: none }} }}\n"
                    "recorder: {{ kafka: {{ brokers: [\"{}\"], topic: {} }} }}\n"
                    "archive: {{ from: kafka, to: \"{}\" }}\n",
                    broker_.bootstrap(), topic_.name(), archive()));
    const auto answer = run_command({seguectl_path(), "query", "-c", config.string(),
                                     "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM exchanges",
                                     "-o", "csv"});
    INFO(answer.err);
    CHECK(answer.exit_code == 0);
    return answer.out;
  }
  // What retention does to everything.
  void take_all(int partition) {
    const auto file = folder_.write(
        "offsets.json", fmt::format("{{\"version\":1,\"partitions\":[{{\"topic\":\"{}\","
                                    "\"partition\":{},\"offset\":-1}}]}}",
                                    topic_.name(), partition));
    broker_.tool("delete-records", {"--offset-json-file", file.string()});
  }
  void produce_some(std::size_t records, int partitions) {
    std::vector<RecordToSend> all;
    for (std::size_t n = 0; n < records; ++n)
      all.push_back({.partition = static_cast<std::int32_t>(n % static_cast<std::size_t>(partitions)),
                     .value = "record " + std::to_string(n)});
    produce(broker_, topic_.name(), all);
  }
  void make_anew(int partitions) {
    const std::string name = topic_.name();
    broker_.tool("topics", {"--delete", "--topic", name});
    const Deadline deadline;
    for (;;) {  // its deletion goes on for a moment after it was accepted
      try {
        topic_ = KafkaTopic(broker_, name, {.partitions = partitions});
        return;
      } catch (const TestFailure&) {
        if (deadline.left() == 0) throw;
      }
    }
  }

 private:
  const KafkaBroker& broker_;
  TempDir folder_;
  KafkaTopic topic_;
  int started_ = 0;
};

void wait_for_line(Process& process, std::string_view part) {
  const Deadline deadline;
  while (const auto line = process.next_error_line(deadline))
    if (has(*line, part)) return;
  throw TestFailure(fmt::format("the archiver ended without saying '{}': {}", part,
                                process.errors()));
}

// A record without the header that says that it was put back.
std::string text_of(const KafkaRecord& record) {
  std::string text = fmt::format("{} {} {} {}", record.partition, record.timestamp_ms,
                                 record.key.value_or("(none)"), record.value.value_or("(none)"));
  for (const auto& [name, value] : record.headers)
    if (name != "segue-restored") text += fmt::format(" {}={}", name, value);
  return text;
}

std::vector<std::string> texts_of(const KafkaTopic& topic) {
  std::vector<std::string> texts;
  for (const KafkaRecord& record : topic.records()) texts.push_back(text_of(record));
  return texts;
}

TEST_CASE("what a gateway published is archived, and comes back into a topic that was deleted") {
  Archiving archiving(KafkaBroker::shared(), 3);
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(publishing_config(
      backend.port(), {KafkaBroker::shared().bootstrap(), archiving.topic().name()}));
  const auto answered = send_some(gateway, 60);
  wait_until_published(archiving.topic(), answered);
  CHECK(gateway.stop().exit_code == 0);
  const auto before = texts_of(archiving.topic());

  const auto archived = archiving.archive_once();
  INFO(archived.err);
  CHECK(archived.exit_code == 0);
  archiving.make_anew(3);
  const auto halted = archiving.archive_once();
  CHECK(halted.exit_code == 2);
  CHECK(has(halted.err, "--new-epoch"));

  const auto looked = archiving.restore();
  INFO(looked.out << looked.err);
  CHECK(looked.exit_code == 1);
  CHECK(has(looked.err, "--yes"));
  CHECK(texts_of(archiving.topic()).empty());
  const auto restored = archiving.restore({"--yes"});
  INFO(restored.err);
  CHECK(restored.exit_code == 0);
  CHECK(texts_of(archiving.topic()) == before);
  CHECK(archiving.restore({"--yes"}).exit_code == 0);
  CHECK(archiving.topic().records().size() == before.size());

  CHECK(archiving.archive_once().exit_code == 0);
  CHECK(archiving.counted() == fmt::format("n,places\n{0},{0}\n", before.size()));
}

TEST_CASE("what was put back behind the archive counts once for who asks archive and topic") {
  Archiving archiving(KafkaBroker::shared(), 1);
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(publishing_config(
      backend.port(), {KafkaBroker::shared().bootstrap(), archiving.topic().name()}));
  const auto answered = send_some(gateway, 20);
  wait_until_published(archiving.topic(), answered);
  CHECK(gateway.stop().exit_code == 0);
  CHECK(archiving.archive_once().exit_code == 0);
  const std::string once = archiving.counted_with_tail();
  const auto still_there = archiving.restore({"--yes"});
  CHECK(still_there.exit_code == 0);
  CHECK(has(still_there.out, "THERE BEFORE"));
  CHECK(archiving.counted_with_tail() == once);
  archiving.take_all(0);
  CHECK(archiving.restore().exit_code == 1);
  CHECK(archiving.restore({"--yes"}).exit_code == 0);
  CHECK(archiving.topic().records().size() >= answered.size());
  CHECK(archiving.counted_with_tail() == once);
}

TEST_CASE("of two instances either is killed at any moment, and every offset is archived once") {
  constexpr int kPartitions = 4;
  constexpr std::size_t kRecords = 400;
  const unsigned all_rounds = rounds(3);
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Archiving archiving(KafkaBroker::shared(), kPartitions);
  std::array<std::unique_ptr<Process>, 2> instances{archiving.start_instance(),
                                                    archiving.start_instance()};
  for (unsigned round = 0; round < all_rounds; ++round) {
    archiving.produce_some(kRecords, kPartitions);
    auto& victim = instances[random() % 2];
    // After so many of its lines or, when it has no partition yet, after one of the other's.
    const Deadline briefly(std::chrono::milliseconds(random() % 1'500));
    try {
      while (victim->next_error_line(briefly)) {
      }
    } catch (const TestFailure&) {
      // its moment has come
    }
    victim->signal(SIGKILL);
    victim->wait();
    victim = archiving.start_instance();
  }
  for (const auto& instance : instances) {
    instance->signal(SIGTERM);
    const auto end = instance->wait();
    CHECK((end.exit_code == 0 || end.signal == SIGTERM));  // the one that has only just begun
  }
  const auto last = archiving.archive_once();
  INFO(last.err);
  CHECK(last.exit_code == 0);
  CHECK(archiving.counted() == fmt::format("n,places\n{0},{0}\n", all_rounds * kRecords));
}

TEST_CASE("a broker that goes is said, and archiving goes on when it is back") {
  KafkaBroker broker;
  Archiving archiving(broker);
  archiving.produce_some(50, 1);
  const auto instance = archiving.start_instance();
  wait_for_line(*instance, "/0 0 to 49: 50 rows");
  broker.kill();
  wait_for_line(*instance, "tried again");
  broker.up();
  archiving.produce_some(50, 1);
  wait_for_line(*instance, "to 99");
  instance->signal(SIGTERM);
  CHECK(instance->wait().exit_code == 0);
  CHECK(archiving.counted() == "n,places\n100,100\n");
}

TEST_CASE("seguectl lag shows how far the archiver's group is") {
  Archiving archiving(KafkaBroker::shared());
  archiving.produce_some(20, 1);
  CHECK(archiving.archive_once().exit_code == 0);
  archiving.produce_some(5, 1);
  const Deadline deadline;
  CommandResult lag;
  do {  // a coordinator that has just begun to be one says that it is none
    lag = run_command({seguectl_path(), "lag", "--brokers", KafkaBroker::shared().bootstrap(),
                       "--group", archiving.group(), "--output", "json"});
  } while (has(lag.err, "ot coordinator") && deadline.left() > 0);
  INFO(lag.out << lag.err);
  CHECK(has(lag.out, R"("committed":20)"));
  CHECK(has(lag.out, R"("lag":5)"));
}

TEST_CASE("no broker, no topic, no archive: one line each, and which side failed") {
  Archiving archiving(KafkaBroker::shared());
  const auto no_archive = archiving.restore();
  CHECK(no_archive.exit_code == 2);
  CHECK(has(no_archive.err, "no archive"));
  const auto no_broker = run_command({seguectl_path(), "archive", "kafka://127.0.0.1:1/t", "--to",
                                      archiving.archive(), "--once", "--timeout", "2"});
  CHECK(no_broker.exit_code == 3);
  const auto no_topic = run_command(
      {seguectl_path(), "archive", fmt::format("kafka://{}/{}", KafkaBroker::shared().bootstrap(),
                                               random_topic_name()),
       "--to", archiving.archive(), "--once"});
  CHECK(no_topic.exit_code == 3);
  CHECK(has(no_topic.err, "topics ensure"));
}

}  // namespace
}  // namespace segue::test
