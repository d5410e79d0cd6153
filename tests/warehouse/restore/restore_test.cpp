// An archive back into a topic of a real broker.
#include "warehouse/restore/restore.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/archived_topic.hpp"
#include "tests/warehouse/archive/hooked_store.hpp"
#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/archive/restored_mark.hpp"
#include "warehouse/restore/offset_set.hpp"
#include "warehouse/restore/restored_record.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using test::KafkaBroker;
using test::KafkaRecord;

RestoreRequest request_for(ArchivedTopic& archived) {
  return {.settings = archived.settings(),
          .topic = archived.topic().name(),
          .source = archived.topic().name(),
          .timeout = std::chrono::seconds(30)};
}

void no_progress(std::uint64_t, std::uint64_t) {}
bool never() { return false; }

std::vector<PartitionPlan> plan(ArchivedTopic& archived, const RestoreRequest& request) {
  return Restore(request, archived.archive()).plan(no_progress, never);
}

std::uint64_t restore(ArchivedTopic& archived, const RestoreRequest& request,
                      const std::function<bool()>& stopping = never) {
  Restore restoring(request, archived.archive());
  restoring.plan(no_progress, never);
  return restoring.carry_out(no_progress, stopping);
}

// What a record was, but for the header that says that it was put back.
std::string text_of(const KafkaRecord& record) {
  v1::Exchange exchange;
  exchange.ParseFromString(record.value.value_or(""));
  return fmt::format("{} {} {} {}", record.partition, record.timestamp_ms,
                     record.key.value_or("(none)"), exchange.DebugString());
}

std::vector<std::string> texts_of(const std::vector<KafkaRecord>& records) {
  std::vector<std::string> texts;
  for (const KafkaRecord& record : records) texts.push_back(text_of(record));
  return texts;
}

TEST_CASE("a topic that was deleted comes back, record by record, into its partitions, in order") {
  ArchivedTopic archived(3);
  publish(archived.topic(), 0, 250, 3);
  const auto before = archived.topic().records();
  archived.archive_once();
  archived.make_anew(3);
  const auto plans = plan(archived, request_for(archived));
  REQUIRE(plans.size() == 3);
  CHECK(plans[0].to_do() == 84);
  CHECK(plans[0].first == kFirstCreated);
  CHECK(plans[0].last == kFirstCreated + 249'000'000);
  CHECK(archived.topic().records().empty());  // so far it was only looked at
  CHECK(restore(archived, request_for(archived)) == 250);
  const auto after = archived.topic().records();
  CHECK(texts_of(after) == texts_of(before));
  CHECK(after[0].header("segue-restored") ==
        fmt::format("{}/{}/0/0", archived.archive().id(), archived.topic().name()));
  CHECK(after[0].header("segue-kind") == "PRIMARY");
  CHECK(after[0].header("segue-route") == "shop");
  CHECK_FALSE(after[0].header("segue-redelivery"));
}

TEST_CASE("what was put back before is not put back again, wherever it stopped") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 250);
  archived.archive_once();
  archived.make_anew();
  int slices = 0;
  CHECK(restore(archived, request_for(archived), [&] { return ++slices > 2; }) == 200);
  // Meanwhile the gateway goes on.
  publish(archived.topic(), 500, 503);
  const auto plans = plan(archived, request_for(archived));
  CHECK(plans[0].there == 200);
  CHECK(plans[0].to_do() == 50);
  CHECK(plans[0].held == 203);
  CHECK(restore(archived, request_for(archived)) == 50);
  CHECK(restore(archived, request_for(archived)) == 0);
  CHECK(archived.topic().records().size() == 253);
}

TEST_CASE("what a restore that was killed had sent may arrive when the next one has made its plan") {
  ArchivedTopic archived(2);
  publish(archived.topic(), 0, 50, 2);
  archived.archive_once();
  archived.make_anew(2);
  Restore next(request_for(archived), archived.archive());
  CHECK(next.plan(no_progress, never)[0].to_do() == 25);
  CHECK(restore(archived, request_for(archived)) == 50);
  publish(archived.topic(), 500, 502, 2);
  CHECK(next.carry_out(no_progress, never) == 0);
  CHECK(archived.topic().records().size() == 52);
}

TEST_CASE("what the topic still holds is not put back, what its retention took is") {
  ArchivedTopic archived(2);
  publish(archived.topic(), 0, 250, 2);
  archived.topic().produce("key", "not an exchange");
  archived.archive_once();
  CHECK(restore(archived, request_for(archived)) == 0);
  CHECK(archived.topic().records().size() == 251);
  archived.take_before(100);
  const auto plans = plan(archived, request_for(archived));
  CHECK(plans[0].to_do() == 100);
  CHECK(plans[1].to_do() == 0);
  RestoreRequest late = request_for(archived);
  late.times.since = kFirstCreated + 150'000'000;  // of the 100, which are every second one
  CHECK(restore(archived, late) == 25);
  CHECK(restore(archived, request_for(archived)) == 75);
  CHECK(restore(archived, request_for(archived)) == 0);
}

TEST_CASE("others at offsets of old are no reason to leave out what was there") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 20);
  archived.archive_once();
  archived.make_anew();
  publish(archived.topic(), 0, 5);  // sent again from the journal
  publish(archived.topic(), 500, 510);
  CHECK(plan(archived, request_for(archived))[0].there == 5);
  CHECK(restore(archived, request_for(archived)) == 15);
  CHECK(archived.topic().records().size() == 30);
}

TEST_CASE("a point in time is the end, and another the begin, whichever comes first") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 250);
  archived.archive_once();
  archived.make_anew();
  RestoreRequest late = request_for(archived);
  late.times.since = kFirstCreated + 150'000'000;
  CHECK(restore(archived, late) == 100);
  RestoreRequest early = request_for(archived);
  early.times.until = kFirstCreated + 150'000'000;
  CHECK(restore(archived, early) == 150);
  CHECK(restore(archived, request_for(archived)) == 0);
}

TEST_CASE("the archiver passes over what came back, and archives what comes behind it") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 100);
  archived.archive_once();
  archived.make_anew();
  restore(archived, request_for(archived));
  publish(archived.topic(), 100, 110);
  archived.archive_once();  // every record is where it was: the chain goes on
  CHECK(archived.rows().size() == 110);
}

TEST_CASE("a topic of which a part came back is archived by a new chain, without that part") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 100);
  archived.archive_once();
  archived.make_anew();
  RestoreRequest late = request_for(archived);
  late.times.since = kFirstCreated + 60'000'000;
  restore(archived, late);
  publish(archived.topic(), 100, 110);
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring("--new-epoch"));
  archived.archive_once(TopicReading::Epoch::next);
  const auto rows = archived.rows();
  REQUIRE(rows.size() == 110);
  CHECK(rows.back() == archived.topic().name() + "@2/0/49");
  // Both chains come back as one partition.
  archived.make_anew();
  CHECK(restore(archived, request_for(archived)) == 110);
}

TEST_CASE("only the partitions that were named come back") {
  ArchivedTopic archived(3);
  publish(archived.topic(), 0, 30, 3);
  archived.archive_once();
  archived.make_anew(3);
  RestoreRequest request = request_for(archived);
  request.partitions = {1};
  CHECK(restore(archived, request) == 10);
  for (const KafkaRecord& record : archived.topic().records()) CHECK(record.partition == 1);
  request.partitions = {7};
  CHECK_THROWS_WITH(restore(archived, request), ContainsSubstring("no partition 7"));
}

TEST_CASE("too few partitions, another topic, no topic: each is said, and nothing is put back") {
  ArchivedTopic archived(3);
  publish(archived.topic(), 0, 30, 3);
  archived.archive_once();
  archived.make_anew(2);
  CHECK_THROWS_WITH(restore(archived, request_for(archived)),
                    ContainsSubstring("topics ensure --partitions 3"));
  RestoreRequest other = request_for(archived);
  other.source = "orders";
  CHECK_THROWS_WITH(restore(archived, other), ContainsSubstring(archived.topic().name()));
  RestoreRequest absent = request_for(archived);
  absent.topic = test::random_topic_name();
  CHECK_THROWS_WITH(restore(archived, absent), ContainsSubstring("there is no topic"));
  CHECK(archived.topic().records().empty());
}

TEST_CASE("an exchange that does not fit any more is cut, and counted") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 1);
  v1::Exchange large = exchange_of(1);
  large.mutable_response()->mutable_body()->set_content(std::string(100'000, 'x'));
  archived.topic().produce(large.account_id(), large.SerializeAsString());
  archived.archive_once();
  archived.make_anew();
  archived.topic().configure("max.message.bytes", "10000");
  Restore restoring(request_for(archived), archived.archive());
  restoring.plan(no_progress, never);
  CHECK(restoring.carry_out(no_progress, never) == 2);
  CHECK(restoring.cut() == 1);
  v1::Exchange cut;
  cut.ParseFromString(archived.topic().records().at(1).value.value_or(""));
  CHECK(cut.response().body().capture() == v1::CAPTURE_TRUNCATED);
  CHECK(cut.response().body().reason() == "topic");
}

TEST_CASE("what is no exchange comes back as it was, without a key") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 1);
  archived.topic().produce("key", "not an exchange");
  archived.archive_once();
  archived.make_anew();
  CHECK(restore(archived, request_for(archived)) == 2);
  const auto records = archived.topic().records();
  CHECK(records.at(1).value == "not an exchange");
  CHECK_FALSE(records.at(1).key);
}

TEST_CASE("a body whose coding the archive undid says so, one that is coded still does not") {
  const auto restored = [](const std::string& content) {
    RecordRow row;
    row.is_exchange = true;
    row.exchange = exchange_of(1);
    v1::Body& body = *row.exchange.mutable_response()->mutable_body();
    body.set_content_coding("gzip");
    body.set_content(content);
    RestoredRecord record({.schema_id = 9, .max_bytes = 1 << 20});
    const auto made = record.make(row, {"a", {"t", "0"}, 1}, 0);
    v1::Exchange exchange;
    exchange.ParseFromString(std::string(made.value().value.substr(6)));
    return exchange.response().body().coding_undone();
  };
  CHECK(restored("{\"plain\":1}"));
  // gzip of {"total":7}
  static constexpr unsigned char kGzip[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0x2a, 0xc9, 0x2f,
      0x49, 0xcc, 0x51, 0xb2, 0x32, 0xaf, 0x05, 0x00, 0xb5, 0x8f, 0x91, 0x43, 0x0b, 0x00, 0x00,
      0x00};
  CHECK_FALSE(restored(std::string(reinterpret_cast<const char*>(kGzip), sizeof kGzip)));
}

// Books of two claims, whose days are compacted, or about to be.
class CompactedBooks {
 public:
  CompactedBooks() {
    archive.start_chain(chain, 0);
    for (const std::uint64_t start : {0, 10}) {
      Claim claim;
      claim.chain = chain;
      claim.start = start;
      claim.end = start + 9;
      claim.day = day + std::chrono::days(start / 10);
      claim.file.rows = 10;
      claim.encoder = claim.writer = "test";
      archive.claim(claim);
      archive.say_done(claim, {claim.file_key(), claim.file, 2, 0});
    }
    archive.move_watermark(day);
  }
  void compact(Day which) {
    store.create(compact_folder(which) + "0.parquet", "rows");
    archive.move_watermark(which + std::chrono::days(1));
  }

 private:
  const test::TempDir folder_;

 public:
  const Chain chain{"t", "0"};
  const Day day = *parse_day("2025-11-20");
  test::HookedStore store{folder_.path()};
  Archive archive = Archive::open_or_create(store);
};

TEST_CASE("a day that is compacted while its files are looked for is found all the same") {
  CompactedBooks books;
  int looks = 0;
  books.store.before_reading = [&](std::string_view key) {
    if (key == watermark_key() && ++looks == 2) books.compact(books.day);
  };
  const ArchivedChain found = find_ranges(books.archive, books.chain, {});
  REQUIRE(found.ranges.size() == 2);
  const std::string compacted = compact_folder(books.day) + "0.parquet";
  CHECK(found.ranges[0].keys == std::vector<std::string>{compacted});
  CHECK(found.ranges[1].keys[0].starts_with("raw/"));
}

TEST_CASE("a compacted day without files is refused, unless its compaction left nothing") {
  CompactedBooks books;
  books.archive.move_watermark(books.day + std::chrono::days(1));
  CHECK_THROWS_WITH(find_ranges(books.archive, books.chain, {}), ContainsSubstring("2025-11-20"));
  books.store.create(compaction_key(books.day), R"({"format_version":1,"outputs":[]})");
  CHECK_THROWS_WITH(find_ranges(books.archive, books.chain, {}),
                    ContainsSubstring("2025-11-20.json is damaged"));
  Compaction of_nothing;
  of_nothing.day = books.day;
  books.store.replace(compaction_key(books.day), to_json(of_nothing));
  CHECK(find_ranges(books.archive, books.chain, {}).ranges.size() == 2);
}

TEST_CASE("offsets that come in any order are kept as runs") {
  OffsetSet set;
  for (const std::uint64_t offset : {5U, 3U, 4U, 9U, 0U, 4U}) set.add(offset);
  for (std::uint64_t offset = 0; offset < 12; ++offset)
    CHECK(set.contains(offset) ==
          (offset == 0 || (offset >= 3 && offset <= 5) || offset == 9));
}

}  // namespace
}  // namespace segue::warehouse
