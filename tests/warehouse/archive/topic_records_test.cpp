// Topics on a real broker, archived by the product's own parts.
#include "warehouse/archive/topic_records.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "kafka/confluent_frame.hpp"
#include "kafka/group_member.hpp"
#include "kafka/groups.hpp"
#include "tests/kafka/record_producer.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/archived_topic.hpp"
#include "warehouse/archive/manifest_topic.hpp"
#include "warehouse/archive/restored_mark.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Epoch = TopicReading::Epoch;
using test::KafkaBroker;

// What a range gives, "offset:target" each, with a mark on what may be there twice.
std::string read(RecordSource& source, const Chain& chain, std::uint64_t from, std::uint64_t to) {
  const auto reader = source.read(chain, from, to);
  std::string text;
  while (const auto record = reader->next()) {
    v1::Exchange exchange;
    const bool is_exchange = exchange.ParseFromString(std::string(record->payload)) &&
                             !exchange.id().empty();
    text += fmt::format("{}{}:{}{}", text.empty() ? "" : " ", record->offset,
                        is_exchange ? exchange.request().target() : std::string(record->payload),
                        record->redelivered ? "!" : "");
  }
  return text;
}

std::vector<std::string> rows_from_to(const std::string& chain, int from, int to) {
  std::vector<std::string> rows;
  for (int n = from; n < to; ++n) rows.push_back(fmt::format("{}/{}", chain, n));
  return rows;
}

TEST_CASE("a range is read, the next one behind it, and one from before again") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 6);
  TopicRecords source(archived.reading(), archived.archive());
  const auto chains = source.chains();
  REQUIRE(chains.size() == 1);
  CHECK(source.first(chains[0]) == 0);
  const auto waiting = source.waiting(chains[0], 0);
  REQUIRE(waiting);
  CHECK(waiting->from == 0);
  CHECK(waiting->to == 6);
  CHECK(read(source, chains[0], 0, 2) == "0:/items/0 1:/items/1");
  CHECK(read(source, chains[0], 2, 5) == "2:/items/2 3:/items/3 4:/items/4");
  CHECK(read(source, chains[0], 1, 3) == "1:/items/1 2:/items/2");
  CHECK_FALSE(source.waiting(chains[0], 6));
  publish(archived.topic(), 6, 7);
  CHECK(source.waiting(chains[0], 6)->to == 7);
  CHECK(read(source, chains[0], 6, 7) == "6:/items/6");
}

TEST_CASE("frames go, what may be there twice says so, and what is no exchange comes as it is") {
  ArchivedTopic archived;
  std::string framed;
  kafka::append_confluent_header(framed, 7);
  framed += exchange_of(1).SerializeAsString();
  test::produce(KafkaBroker::shared(), archived.topic().name(),
                {{.value = framed},
                 {.value = exchange_of(2).SerializeAsString(),
                  .headers = {{"segue-redelivery", "1"}}},
                 {.value = "not an exchange"}});
  TopicRecords source(archived.reading(), archived.archive());
  CHECK(read(source, source.chains().at(0), 0, 3) ==
        "0:/items/1 1:/items/2! 2:not an exchange");
}

TEST_CASE("what this archive put back is passed over, what another did may be there twice") {
  ArchivedTopic archived;
  const auto mark = [](const std::string& archive) {
    return text_of({.archive = archive, .chain = {"t", "0"}, .offset = 5});
  };
  test::produce(KafkaBroker::shared(), archived.topic().name(),
                {{.value = exchange_of(1).SerializeAsString(),
                  .headers = {{"segue-restored", mark(archived.archive().id())}}},
                 {.value = exchange_of(2).SerializeAsString(),
                  .headers = {{"segue-restored", mark("another")}}}});
  TopicRecords source(archived.reading(), archived.archive());
  CHECK(read(source, source.chains().at(0), 0, 2) == "1:/items/2!");
}

TEST_CASE("what retention took is lost and said, and the rest is archived") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 10);
  archived.archive_once();
  publish(archived.topic(), 10, 30);
  archived.take_before(20);
  archived.archive_once();
  const std::string chain = archived.topic().name() + "/0";
  auto expected = rows_from_to(chain, 0, 10);
  std::ranges::copy(rows_from_to(chain, 20, 30), std::back_inserter(expected));
  CHECK(archived.rows() == expected);
  const auto claims = archived.archive().claims({archived.topic().name(), "0"});
  REQUIRE(claims.size() == 3);
  CHECK(claims[1].claim.kind == Claim::Kind::lost);
  CHECK(claims[1].claim.start == 10);
  CHECK(claims[1].claim.end == 19);
  CHECK_THAT(claims[1].claim.reason, ContainsSubstring("retention"));
}

TEST_CASE("a topic that was made anew halts its chain until a new epoch is asked for") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 10);
  archived.archive_once();
  archived.make_anew();
  publish(archived.topic(), 100, 105);
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring("--new-epoch"));
  archived.archive_once(Epoch::next);
  const std::string name = archived.topic().name();
  auto expected = rows_from_to(name + "/0", 0, 10);
  std::ranges::copy(rows_from_to(name + "@2/0", 0, 5), std::back_inserter(expected));
  CHECK(archived.rows() == expected);
  // From now on the new chain goes on, asked for or not.
  publish(archived.topic(), 105, 107);
  archived.archive_once();
  archived.archive_once(Epoch::next);
  std::ranges::copy(rows_from_to(name + "@2/0", 5, 7), std::back_inserter(expected));
  CHECK(archived.rows() == expected);
}

TEST_CASE("a topic that was made anew is noticed also when it has passed the old one's end") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 10);
  archived.archive_once();
  archived.make_anew();
  publish(archived.topic(), 100, 130);
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring("--new-epoch"));
  CHECK(archived.rows().size() == 10);
}

TEST_CASE("a partition of which nothing is an exchange goes on like any other") {
  ArchivedTopic archived;
  for (const char* const value : {"first", "second", "third"}) {
    archived.topic().produce("key", value);
    archived.archive_once();
  }
  CHECK(archived.rows() == rows_from_to(archived.topic().name() + "/0", 0, 3));
}

TEST_CASE("exchanges without a time, with an impossible one, or cut say nothing of another topic") {
  ArchivedTopic archived;
  v1::Exchange early = exchange_of(1);
  early.set_created_at(-5);
  v1::Exchange late = exchange_of(2);
  late.set_created_at(INT64_MAX);
  v1::Exchange cut = exchange_of(3);
  cut.set_created_at(1);
  std::string half = cut.SerializeAsString();
  half.resize(half.size() - 3);
  const std::string whole = exchange_of(4).SerializeAsString();
  for (const std::string& first :
       {std::string("garbage"), early.SerializeAsString(), late.SerializeAsString(), half}) {
    for (const auto& values : {std::vector{first}, std::vector{first, whole}}) {
      std::vector<test::RecordToSend> records;
      for (const std::string& value : values) records.push_back({.value = value});
      test::produce(KafkaBroker::shared(), archived.topic().name(), records);
      CHECK_NOTHROW(archived.archive_once());
    }
  }
  CHECK_NOTHROW(archived.archive_once());
  CHECK(archived.rows() == rows_from_to(archived.topic().name() + "/0", 0, 12));
}

TEST_CASE("a partition that halts does not hold up the others") {
  ArchivedTopic archived(2);
  publish(archived.topic(), 0, 10);
  archived.archive_once();
  archived.make_anew(2);
  publish(archived.topic(), 100, 110, 2);
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring("--new-epoch"));
  const std::string name = archived.topic().name();
  auto expected = rows_from_to(name + "/0", 0, 10);
  std::ranges::copy(rows_from_to(name + "/1", 0, 5), std::back_inserter(expected));
  CHECK(archived.rows() == expected);
  // Books of a chain that cannot be read halt that chain, too.
  archived.archive_once(Epoch::next);
  archived.archive().store().replace(claim_key({name, "1"}, 0), "{}");
  publish(archived.topic(), 110, 120, 2);
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring(claim_key({name, "1"}, 0)));
  const Archive::Tip tip = archived.archive().tip({name + "@2", "0"});
  CHECK(tip.next == 10);
}

TEST_CASE("a compacted topic is refused") {
  ArchivedTopic archived;
  archived.topic().configure("cleanup.policy", "compact");
  CHECK_THROWS_WITH(archived.archive_once(), ContainsSubstring("compacted"));
}

TEST_CASE("the group hears how far the archive is") {
  ArchivedTopic archived(2);
  publish(archived.topic(), 0, 10, 2);
  archived.archive_once();
  kafka::Cluster cluster(archived.settings(), std::chrono::seconds(30));
  const auto committed = kafka::Groups(cluster).committed(archived.topic().name());
  CHECK(committed == kafka::Committed{{{archived.topic().name(), 0}, 5},
                                      {{archived.topic().name(), 1}, 5}});
}

TEST_CASE("a second archive of a topic gets all of it, whatever the group has committed") {
  ArchivedTopic archived(2);
  publish(archived.topic(), 0, 10, 2);
  archived.archive_once();
  const test::TempDir folder;
  FolderStore store(folder / "second");
  const Archive second = Archive::open_or_create(store);
  TopicReading reading = archived.reading();
  reading.share = TopicReading::Share::group;
  TopicRecords source(reading, second);
  const test::Deadline deadline;
  while (source.chains().size() < 2) REQUIRE(deadline.left() > 0);
  for (const Chain& chain : source.chains()) {
    CHECK(source.first(chain) == 0);
    const auto waiting = source.waiting(chain, 0);
    REQUIRE(waiting);
    CHECK(waiting->from == 0);
    CHECK(waiting->to == 5);
  }
}

TEST_CASE("members of a group share the partitions, and one that leaves gives its own to the other") {
  ArchivedTopic archived(4);
  TopicReading reading = archived.reading();
  reading.share = TopicReading::Share::group;
  TopicRecords first(reading, archived.archive());
  auto second = std::make_unique<TopicRecords>(reading, archived.archive());
  const auto wait_until = [&](auto&& done) {
    const test::Deadline deadline;
    while (!done()) {
      if (deadline.left() == 0) throw test::TestFailure("the group does not settle");
      first.wait(std::chrono::milliseconds(50));
      if (second) second->wait(std::chrono::milliseconds(50));
    }
  };
  wait_until([&] {
    const std::size_t has_first = first.chains().size();
    return second->chains().size() == 2 && has_first == 2;
  });
  auto all = first.chains();
  std::ranges::copy(second->chains(), std::back_inserter(all));
  std::ranges::sort(all);
  CHECK(std::ranges::unique(all).empty());
  second.reset();
  wait_until([&] { return first.chains().size() == 4; });
}

TEST_CASE("a member that leaves at any moment of its joining ends like any other") {
  const unsigned all_rounds = test::rounds(20);
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  ArchivedTopic archived(4);
  for (unsigned round = 0; round < all_rounds; ++round) {
    const std::string group = fmt::format("{}-{}", archived.topic().name(), round);
    using Role = kafka::GroupMember::Role;
    kafka::GroupMember stays(archived.settings(), archived.topic().name(), group, Role::member);
    kafka::GroupMember leaves(archived.settings(), archived.topic().name(), group, Role::member);
    const std::chrono::milliseconds moment(random() % 200);
    stays.poll(moment / 2);
    leaves.poll(moment / 2);
  }
  SUCCEED("none of them ended this process");
}

TEST_CASE("each claim that is done is announced, with what a loader needs") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 250);
  const test::KafkaTopic manifest(KafkaBroker::shared());
  ManifestTopic announcing(archived.settings(), manifest.name(), archived.archive(),
                           std::chrono::seconds(30));
  archived.archive_once(Epoch::same, {&announcing});
  const auto records = manifest.records();
  REQUIRE(records.size() == 3);
  CHECK(records[1].key == archived.topic().name() + "/0/100");
  const auto json = boost::json::parse(records[1].value.value_or("")).as_object();
  CHECK(json.at("rows") == 100);
  CHECK(json.at("start") == 100);
  CHECK(json.at("end") == 199);
  CHECK(json.at("failures") == 0);
  CHECK(json.at("min_created_at") == "2025-11-21T09:01:40.000000Z");
  const auto& file = json.at("files").as_array().at(0).as_object();
  const std::string path(file.at("path").as_string());
  CHECK(archived.archive().store().size(path) == file.at("bytes").to_number<std::uint64_t>());
  const std::string url(file.at("url").as_string());
  CHECK(url.starts_with("/"));
  CHECK(std::filesystem::file_size(url) == archived.archive().store().size(path));
}

TEST_CASE("a manifest topic that is not there is said, and told as soon as it is") {
  ArchivedTopic archived;
  publish(archived.topic(), 0, 10);
  const std::string name = test::random_topic_name();
  ManifestTopic announcing(archived.settings(), name, archived.archive(), std::chrono::seconds(2));
  CHECK_THROWS_WITH(archived.archive_once(Epoch::same, {&announcing}),
                    ContainsSubstring("topics ensure"));
  const test::KafkaTopic manifest(KafkaBroker::shared(), name, test::TopicSettings());
  archived.archive_once(Epoch::same, {&announcing});
  CHECK(manifest.records().size() == 1);
  CHECK(archived.rows().size() == 10);
}

TEST_CASE("marks of restored records are read as they were written, and nothing else is") {
  const RestoredMark mark{"0b5e", {"orders.v1@2", "11"}, 1234};
  CHECK(text_of(mark) == "0b5e/orders.v1@2/11/1234");
  CHECK(parse_restored_mark(text_of(mark)) == mark);
  for (const char* const wrong : {"", "/", "a/b/c", "a/b/c/", "a/b/c/x", "a/b/c/1x", "a//c/1",
                                  "/b/c/1", "a/b/c/99999999999999999999999"})
    CHECK_FALSE(parse_restored_mark(wrong));
}

}  // namespace
}  // namespace segue::warehouse
