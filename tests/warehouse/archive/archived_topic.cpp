#include "tests/warehouse/archive/archived_topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tests/kafka/record_producer.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::warehouse {

using test::KafkaBroker;

namespace {

// Exchanges of tests are older than what a broker keeps, and it looks at any moment.
test::TopicSettings settings_of(int partitions) {
  return {.partitions = partitions, .configuration = {{"retention.ms", "-1"}}};
}

}  // namespace

v1::Exchange exchange_of(unsigned n) {
  v1::Exchange exchange;
  std::string id(12, '\1');
  for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(n >> shift & 0xffU);
  exchange.set_id(id);
  exchange.set_created_at(kFirstCreated + n * 1'000'000LL);
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.set_account_id(fmt::format("account-{}", n % 7));
  exchange.mutable_decision()->set_route("shop");
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target(fmt::format("/items/{}", n));
  exchange.mutable_response()->set_status(200);
  v1::Body& body = *exchange.mutable_response()->mutable_body();
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_content(fmt::format("{{\"item\":{}}}", n));
  body.set_size(body.content().size());
  body.set_content_type("application/json");
  return exchange;
}

void publish(const test::KafkaTopic& topic, unsigned first, unsigned last, int partitions) {
  std::vector<test::RecordToSend> records;
  for (unsigned n = first; n < last; ++n) {
    const v1::Exchange exchange = exchange_of(n);
    records.push_back({static_cast<std::int32_t>(n) % partitions, exchange.account_id(),
                       exchange.SerializeAsString(), exchange.created_at() / 1'000,
                       {{"segue-kind", "PRIMARY"}}});
  }
  test::produce(KafkaBroker::shared(), topic.name(), records);
}

ArchivedTopic::ArchivedTopic(int partitions)
    : topic_(KafkaBroker::shared(), settings_of(partitions)),
      // As a person may write it, from where that person is.
      store_(std::filesystem::relative(folder_ / "archive")),
      archive_(Archive::open_or_create(store_)) {}

kafka::Settings ArchivedTopic::settings() const {
  kafka::Settings settings;
  settings.brokers = {KafkaBroker::shared().bootstrap()};
  return settings;
}

TopicReading ArchivedTopic::reading(TopicReading::Epoch epoch) const {
  return {.settings = settings(),
          .topic = topic_.name(),
          .group = topic_.name(),
          .timeout = std::chrono::milliseconds(2'000),
          .share = TopicReading::Share::all,
          .epoch = epoch};
}

void ArchivedTopic::archive_once(TopicReading::Epoch epoch, std::vector<ArchiveObserver*> observers,
                                 std::uint64_t flush_rows) {
  TopicRecords source(reading(epoch), archive_);
  ArchiveFileEncoder encoder;
  Archiver archiver(archive_, source, encoder,
                    {.staging = folder_ / "staging", .flush_rows = flush_rows, .writer = "test"},
                    std::move(observers));
  archiver.run_once();
}

void ArchivedTopic::make_anew(int partitions) {
  const std::string name = topic_.name();
  KafkaBroker::shared().tool("topics", {"--delete", "--topic", name});
  const test::Deadline deadline;
  for (;;) {  // its deletion goes on for a moment after it was accepted
    try {
      topic_ = test::KafkaTopic(KafkaBroker::shared(), name, settings_of(partitions));
      return;
    } catch (const test::TestFailure&) {
      if (deadline.left() == 0) throw;
    }
  }
}

void ArchivedTopic::take_before(std::int64_t offset, std::int32_t partition) {
  const auto file = folder_.write(
      "offsets.json", fmt::format("{{\"version\":1,\"partitions\":[{{\"topic\":\"{}\","
                                  "\"partition\":{},\"offset\":{}}}]}}",
                                  topic_.name(), partition, offset));
  KafkaBroker::shared().tool("delete-records", {"--offset-json-file", file.string()});
}

std::vector<std::string> ArchivedTopic::rows() {
  Engine engine;
  mount(engine, store_);
  std::vector<std::string> paths;
  for (const StoredObject& file : archive_.files()) paths.push_back(sql_path(file.key));
  add_archived(engine, paths);
  std::vector<std::string> rows;
  engine.ask("SELECT concat_ws('/', source, \"partition\", \"offset\") FROM archived ORDER BY "
             "source, \"partition\"::INT, \"offset\"",
             [&](const Engine::Row& row) { rows.emplace_back(row[0]); });
  return rows;
}

}  // namespace segue::warehouse
