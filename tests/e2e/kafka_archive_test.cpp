// `seguectl archive` and `seguectl restore` on a real broker.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
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
  // That the configuration names.
  std::string manifest() const { return topic_.name() + ".files"; }
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
  CommandResult verify() const {
    return run_command({seguectl_path(), "verify", archive(), "--source", source(), "--timeout",
                        "5", "--staging", (folder_ / "upkeep").string()});
  }
  // A claim, what says that it is done, and its file.
  std::vector<std::filesystem::path> claim_at(int partition, int start) const {
    const std::string number = fmt::format("{:020}", start);
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "archive")) {
      const std::string name = entry.path().filename().string();
      const bool is_book = name.starts_with(number) &&
                           entry.path().parent_path().filename() == std::to_string(partition);
      if (is_book || has(name, fmt::format("~{}~{}~", partition, number)))
        found.push_back(entry.path());
    }
    return found;
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
  // A file that names the topic and the archive.
  std::string configuration() const {
    return folder_
        .write("both.yaml",
               fmt::format("version: 1\nlisteners: {{ public: {{ address: \"127.0.0.1:1\" }} }}\n"
                           "backends: {{ legacy: {{ endpoints: [\"127.0.0.1:2\"] }} }}\n"
                           "routes: {{ all: {{ match: {{ prefix: / }}, to: legacy, record: none }} }}\n"
                           "recorder: {{ kafka: {{ brokers: [\"{}\"], topic: {} }} }}\n"
                           "archive: {{ from: kafka, to: \"{}\", manifest: {} }}\n",
                           broker_.bootstrap(), topic_.name(), archive(), manifest()))
        .string();
  }
  // Exchanges of the archive and of what the topic has behind it.
  std::string counted_with_tail() const {
    const auto answer = run_command({seguectl_path(), "query", "-c", configuration(),
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
  // What a publisher does that was killed before it knew that these had arrived.
  void send_again(const std::vector<KafkaRecord>& records) {
    std::vector<RecordToSend> all;
    for (const KafkaRecord& record : records) {
      RecordToSend again{record.partition, record.key.value_or(""), record.value.value_or(""),
                         record.timestamp_ms, record.headers};
      again.headers.emplace_back("segue-redelivery", "1");
      all.push_back(std::move(again));
    }
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

TEST_CASE("what was sent again behind the archive counts once for who asks archive and topic") {
  Archiving archiving(KafkaBroker::shared(), 2);
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(publishing_config(
      backend.port(), {KafkaBroker::shared().bootstrap(), archiving.topic().name()}));
  auto answered = send_some(gateway, 20);
  wait_until_published(archiving.topic(), answered);
  CHECK(archiving.archive_once().exit_code == 0);
  const auto archived = archiving.topic().records();
  archiving.send_again({archived.begin(), archived.begin() + 15});
  CHECK(archiving.counted_with_tail() == "n,ids\n20,20\n");

  answered.merge(send_some(gateway, 10));  // and what the archive has not yet
  wait_until_published(archiving.topic(), answered);
  CHECK(gateway.stop().exit_code == 0);
  archiving.send_again(archiving.topic().records());
  CHECK(archiving.counted_with_tail() == "n,ids\n30,30\n");
}

TEST_CASE("verify against a topic finds what the archive lacks, and counts what waits") {
  Archiving archiving(KafkaBroker::shared(), 2);
  archiving.produce_some(200, 2);
  CHECK(archiving.archive_once({"--flush-rows", "20"}).exit_code == 0);
  const auto whole = archiving.verify();
  INFO(whole.out << whole.err);
  CHECK(whole.exit_code == 0);
  CHECK(has(whole.out, "2 chains, 10 claims, 10 files, 200 rows"));

  archiving.produce_some(30, 2);
  const auto behind = archiving.verify();
  INFO(behind.out << behind.err);
  CHECK(behind.exit_code == 0);
  CHECK(has(behind.out, "30 records in the source not archived yet"));

  // The newest claim of a partition goes, as when an older copy of the archive is put back: it can
  // be archived again, as long as the topic has it.
  for (const auto& path : archiving.claim_at(1, 80)) std::filesystem::remove(path);
  const auto again = archiving.verify();
  INFO(again.out << again.err);
  CHECK(again.exit_code == 0);
  CHECK(has(again.out, "50 records in the source not archived yet"));
  archiving.take_all(1);
  const auto gone = archiving.verify();
  INFO(gone.out << gone.err);
  CHECK(gone.exit_code == 1);
  CHECK(has(gone.out, "missing"));
  CHECK(has(gone.out, "80 to 114: gone from " + archiving.source() + " and never archived"));
}

TEST_CASE("verify against a topic finds a hole in the middle of a chain, and a file that is gone") {
  Archiving archiving(KafkaBroker::shared());
  archiving.produce_some(100, 1);
  CHECK(archiving.archive_once({"--flush-rows", "20"}).exit_code == 0);
  const auto hole = archiving.claim_at(0, 40);
  CHECK(hole.size() == 4);
  for (const auto& path : hole)
    if (path.extension() == ".parquet") std::filesystem::remove(path);
  const auto without_file = archiving.verify();
  INFO(without_file.out << without_file.err);
  CHECK(without_file.exit_code == 1);
  CHECK(has(without_file.out, "it had 20 rows"));

  for (const auto& path : hole) std::filesystem::remove(path);
  const auto without_claim = archiving.verify();
  INFO(without_claim.out << without_claim.err);
  CHECK(without_claim.exit_code == 1);
  CHECK(has(without_claim.out, "40 to 59"));
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
    CAPTURE(end.exit_code, end.signal, instance->errors());
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

TEST_CASE("ensure makes the topic of the manifest where the archive is made from Kafka") {
  KafkaBroker broker;
  Archiving archiving(broker);
  const auto seguectl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), seguectl_path());
    words.insert(words.end(), {"-c", archiving.configuration()});
    return run_command(words);
  };
  const auto planned = seguectl({"topics", "ensure"});
  INFO(planned.out << planned.err);
  CHECK(planned.exit_code == 1);
  CHECK(has(planned.out, fmt::format("create {}: 1 partitions", archiving.manifest())));
  const auto made = seguectl({"topics", "ensure", "--yes"});
  INFO(made.out << made.err);
  CHECK(made.exit_code == 0);
  CHECK(seguectl({"topics", "ensure"}).exit_code == 0);
  archiving.produce_some(5, 1);
  const auto archived = seguectl({"archive", "--once"});
  INFO(archived.err);
  CHECK(archived.exit_code == 0);
  const auto told = KafkaTopic::named(broker, archiving.manifest()).records();
  REQUIRE(told.size() == 1);
  CHECK(told[0].key == archiving.topic().name() + "/0/0");
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
  CHECK(has(archiving.restore().err, "no archive"));
}

}  // namespace
}  // namespace segue::test
