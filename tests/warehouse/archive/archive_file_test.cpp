// A file of an archive: what stands in it.
#include "warehouse/sql/archive_file.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "recorder/exchange.pb.h"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/given_records.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/without_bodies.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

const Chain kChain{"shop", "0"};

class Payloads : public RecordReader {
 public:
  explicit Payloads(std::vector<std::string> payloads) : payloads_(std::move(payloads)) {}
  std::optional<SourceRecord> next() override {
    if (at_ == payloads_.size()) return std::nullopt;
    const std::uint64_t offset = at_++;
    return SourceRecord{.offset = offset, .payload = payloads_[offset], .redelivered = offset == 1};
  }

 private:
  std::vector<std::string> payloads_;
  std::size_t at_ = 0;
};

v1::Exchange an_exchange() {
  v1::Exchange exchange;
  exchange.set_id(std::string(16, '\1'));
  exchange.set_created_at(1'763'715'600'123'456);
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_request()->set_target("/a");
  v1::Field& field = *exchange.mutable_response()->add_fields();
  field.set_name("Set-Cookie");
  field.set_value("a=1");
  v1::Body& body = *exchange.mutable_response()->mutable_body();
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_content("what was said");
  body.set_size(13);
  body.set_content_type("text/plain");
  return exchange;
}

std::string ask(const std::string& sql) {
  Engine engine;
  std::string text;
  engine.ask("SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")", [&](const Engine::Row& row) {
    for (const std::string_view value : row)
      text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
    text += '\n';
  });
  return text;
}

TEST_CASE("a record is a row, and says where it came from") {
  const test::TempDir folder;
  const auto path = folder / "it's.parquet";
  ArchiveFileEncoder encoder;
  Payloads records({an_exchange().SerializeAsString(), an_exchange().SerializeAsString()});
  const FileFacts facts = encoder.encode(kChain, records, path);
  CHECK(facts.rows == 2);
  CHECK(facts.redelivered == 1);
  CHECK(facts.min_created_at == 1'763'715'600'123'456);
  CHECK(facts.sha256.size() == 64);
  CHECK(facts.bytes == std::filesystem::file_size(path));
  const std::string from = "FROM read_parquet('" + (folder / "it''s.parquet").string() + "')";
  CHECK(ask("SELECT created_at, kind, target, response_headers['set-cookie'][1], response_body, "
            "source, \"partition\", \"offset\", redelivered " + from) ==
        "|2025-11-21 09:00:00.123456|PRIMARY|/a|a=1|what was said|shop|0|0|false\n"
        "|2025-11-21 09:00:00.123456|PRIMARY|/a|a=1|what was said|shop|0|1|true\n");
}

TEST_CASE("what is no exchange is a row, too, of which nothing is known but its octets") {
  const test::TempDir folder;
  const auto path = folder / "a.parquet";
  ArchiveFileEncoder encoder;
  v1::Exchange no_id = an_exchange();
  no_id.clear_id();
  Payloads records({std::string("\xff\0x", 3), an_exchange().SerializeAsString(), "",
                    no_id.SerializeAsString()});
  const FileFacts facts = encoder.encode(kChain, records, path);
  CHECK(facts.rows == 4);
  CHECK(facts.failures == 0);
  CHECK(ask("SELECT \"offset\", kind, request_headers, octet_length(record) = 0 FROM read_parquet('" +
            path.string() + "') WHERE kind IS NULL") ==
        "|0|NULL|NULL|false\n|2|NULL|NULL|true\n|3|NULL|NULL|false\n");
  CHECK(ask("SELECT response_headers FROM read_parquet('" + path.string() +
            "') WHERE kind IS NOT NULL") == "|{set-cookie=['a=1']}\n");
}

TEST_CASE("facts are those that the file itself gives") {
  const test::TempDir folder;
  const auto path = folder / "a.parquet";
  test::GivenRecords source;
  source.extents = {{kChain, {0, 5000}}};
  ArchiveFileEncoder encoder;
  const FileFacts facts = encoder.encode(kChain, *source.read(kChain, 0, 5000), path);
  const FileFacts read = encoder.facts_of(path);
  CHECK(facts.rows == 5000);
  CHECK(facts.failures > 0);
  CHECK(facts.finishes > 0);
  CHECK(facts.redelivered > 0);
  CHECK(read.rows == facts.rows);
  CHECK(read.bytes == facts.bytes);
  CHECK(read.sha256 == facts.sha256);
  CHECK(read.failures == facts.failures);
  CHECK(read.finishes == facts.finishes);
  CHECK(read.redelivered == facts.redelivered);
  CHECK(read.min_created_at == facts.min_created_at);
  CHECK(read.max_created_at == facts.max_created_at);
}

TEST_CASE("facts are those of a file of an older schema, too, which lacks columns") {
  ArchiveFileEncoder encoder;
  const FileFacts facts = encoder.facts_of(
      SEGUE_SOURCE_DIR "/tests/warehouse/data/raw/dt=2026-11-01/shop~0~00000000000000000000~3.parquet");
  CHECK(facts.rows == 4);
  CHECK(facts.failures == 0);
  CHECK(facts.redelivered == 0);
  CHECK(facts.min_created_at == 1'793'523'600'000'000);  // 2026-11-01T09:00:00Z
  CHECK(facts.max_created_at == facts.min_created_at + 3'000'000);
}

TEST_CASE("a file of Parquet whose columns are no archive's is refused, also without rows") {
  const test::TempDir folder;
  Engine engine;
  ArchiveFileEncoder encoder;
  for (const int rows : {0, 3}) {
    const auto path = (folder / fmt::format("{}.parquet", rows)).string();
    engine.run(fmt::format("COPY (SELECT 'GET' AS method, now() AS created_at, n AS \"offset\" "
                           "FROM range({}) t(n)) TO '{}' (FORMAT parquet)",
                           rows, path));
    CHECK_THROWS_MATCHES(encoder.facts_of(path), StorageError,
                         MessageMatches(ContainsSubstring("it is no file of an archive")));
  }
}

TEST_CASE("a range without records is a file without rows") {
  const test::TempDir folder;
  ArchiveFileEncoder encoder;
  Payloads none({});
  CHECK(encoder.encode(kChain, none, folder / "a.parquet").rows == 0);
  CHECK(encoder.facts_of(folder / "a.parquet").rows == 0);
}

TEST_CASE("moments that cannot be are not known, and break neither claims nor queries") {
  const test::TempDir folder;
  const auto path = folder / "a.parquet";
  std::vector<std::string> payloads;
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t at : {kMost, kLeast, kLeast + 1, std::int64_t{0}, std::int64_t{-1}}) {
    v1::Exchange exchange = an_exchange();
    exchange.set_created_at(at);
    payloads.push_back(exchange.SerializeAsString());
  }
  ArchiveFileEncoder encoder;
  Payloads records(payloads);
  Claim claim;
  claim.chain = kChain;
  claim.end = 4;
  claim.file = encoder.encode(kChain, records, path);
  CHECK(claim.file.min_created_at == 0);
  CHECK(claim.file.max_created_at == 0);
  CHECK(parse_claim(claim.key(), to_json(claim)).file.rows == 5);
  CHECK(ask("SELECT count(*), count(created_at) FROM read_parquet('" + path.string() + "')") ==
        "|5|0\n");
}

TEST_CASE("bodies are not kept twice, and all else of a record is, also what is not known here") {
  v1::Exchange exchange = an_exchange();
  exchange.mutable_request()->mutable_body()->set_content("asked");
  exchange.mutable_request()->mutable_body()->set_size(5);
  exchange.mutable_request()->mutable_body()->set_sha256(std::string(32, 'd'));
  std::string payload = exchange.SerializeAsString();
  const std::string unknown = "\x92\x3f\x03new\xa0\x3f\x01";  // fields 1010 and 1012
  payload += unknown;
  WithoutBodies without_bodies;
  for (int again = 0; again < 2; ++again) {
    const std::string_view record = without_bodies(payload);
    CHECK(record.ends_with(unknown));
    v1::Exchange left;
    REQUIRE(left.ParseFromArray(record.data(), static_cast<int>(record.size())));
    CHECK(left.response().body().content().empty());
    CHECK(left.response().body().size() == 13);
    CHECK(left.request().body().sha256() == std::string(32, 'd'));
    CHECK(left.request().body().size() == 5);
    left.mutable_response()->mutable_body()->set_content("what was said");
    left.mutable_request()->mutable_body()->set_content("asked");
    CHECK(left.SerializeAsString() == payload);
  }
  for (std::size_t length = 0; length < payload.size(); ++length)
    CHECK(without_bodies(payload.substr(0, length)).size() <= length);
}

TEST_CASE("bodies are taken out also where a record has groups, which nothing writes any more") {
  v1::Exchange exchange = an_exchange();
  const std::string group = "\xc3\x3e\xc8\x3e\x05\xc4\x3e";  // field 1000, 1001 in it
  std::string message = exchange.response().SerializeAsString() + group;
  std::string payload = "\xaa\x01";  // the response, field 21, once more: they are merged
  payload += static_cast<char>(0x80 | (message.size() & 0x7F));
  payload += static_cast<char>(message.size() >> 7);
  payload += message + group;
  WithoutBodies without_bodies;
  v1::Exchange left;
  REQUIRE(left.ParseFromString(payload));
  CHECK(left.response().body().content() == "what was said");
  const std::string record(without_bodies(payload));
  REQUIRE(left.ParseFromString(record));
  CHECK(left.response().body().content().empty());
  CHECK(left.response().body().size() == 13);
  CHECK(record.ends_with(group));
  CHECK(left.response().SerializeAsString().ends_with(group));
}

TEST_CASE("field ids are fixed, and no two columns have the same") {
  std::set<int> ids;
  for (const ExchangeColumn& column : exchange_columns()) CHECK(ids.insert(column.field_id).second);
  for (const ArchiveColumn& column : archive_columns()) CHECK(ids.insert(column.field_id).second);
  const test::TempDir folder;
  const auto path = folder / "a.parquet";
  ArchiveFileEncoder encoder;
  Payloads records({an_exchange().SerializeAsString()});
  encoder.encode(kChain, records, path);
  // Never change a line of this: files have these numbers.
  CHECK(ask("SELECT string_agg(name || ' ' || field_id, ', ') FROM parquet_schema('" +
            path.string() + "') WHERE field_id IS NOT NULL") ==
        "|id 1, created_at 2, kind 3, parent_id 4, outcome 5, refusal 6, route 7, path_template 8, "
        "method 9, scheme 10, authority 11, target 12, path 13, status 14, account_id 15, "
        "backend 16, role 17, endpoint 18, bucket 19, shadow 20, latency_us 21, first_byte_us 22, "
        "attempts 23, error 24, request_headers 25, key 25001, value 25002, element 25003, "
        "request_body 26, request_body_bytes 27, request_size 28, request_capture 29, "
        "response_headers 30, key 30001, value 30002, element 30003, response_body 31, "
        "response_body_bytes 32, response_size 33, response_capture 34, client_address 35, "
        "trace_id 36, service 37, instance 38, config_version 39, source 100, partition 101, "
        "offset 102, redelivered 103, record 104\n");
}

TEST_CASE("a source that fails in the middle passes its own error on, and the encoder goes on") {
  class Broken : public RecordReader {
   public:
    std::optional<SourceRecord> next() override { throw RemoteError("the broker is away"); }
  };
  const test::TempDir folder;
  ArchiveFileEncoder encoder;
  Broken broken;
  std::string why;
  try {
    encoder.encode(kChain, broken, folder / "a.parquet");
  } catch (const RemoteError& error) {
    why = error.what();
  }
  CHECK(why == "the broker is away");
  Payloads records({an_exchange().SerializeAsString()});
  CHECK(encoder.encode(kChain, records, folder / "a.parquet").rows == 1);
}

TEST_CASE("a folder that is not there is named") {
  ArchiveFileEncoder encoder;
  Payloads records({an_exchange().SerializeAsString()});
  std::string why;
  try {
    encoder.encode(kChain, records, "/nowhere/at/all.parquet");
  } catch (const StorageError& error) {
    why = error.what();
  }
  CHECK(why.find("/nowhere/at/all.parquet") != std::string::npos);
  CHECK_THROWS_AS(encoder.facts_of("/nowhere/at/all.parquet"), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
