#include "tests/warehouse/engines/three_days.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>

#include "recorder/exchange.pb.h"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/storage/settings_for.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/location.hpp"
#include "warehouse/upkeep/compaction.hpp"

namespace segue::test {
namespace {

using namespace warehouse;

constexpr std::int64_t kDayMicros = 86'400'000'000;
constexpr std::int64_t kFirstDay = 20'413 * kDayMicros;  // 2025-11-21 UTC
constexpr std::uint64_t kRecordsOfADay = 600;
constexpr std::uint64_t kDays = 3;

const Chain kChain{"gateway-1", "20251121T000000-0"};

std::string id_of(std::uint64_t n) {
  std::string id(16, '\x11');
  for (std::size_t i = 0; i < 8; ++i) id[15 - i] = static_cast<char>(n >> (8 * i));
  return id;
}

std::int64_t created_at(std::uint64_t n) {
  return kFirstDay + static_cast<std::int64_t>(n / kRecordsOfADay) * kDayMicros +
         static_cast<std::int64_t>(n % kRecordsOfADay) * 1'234'567;
}

void add_field(google::protobuf::RepeatedPtrField<v1::Field>& fields, const std::string& name,
               const std::string& value) {
  v1::Field& field = *fields.Add();
  field.set_name(name);
  field.set_value(value);
}

void set_body(v1::Body& body, std::string content) {
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_size(content.size());
  body.set_content(std::move(content));
}

// Of another record, perhaps of the day before.
std::string finish_of(std::uint64_t n, std::uint64_t finished) {
  v1::Exchange finish;
  finish.set_id(id_of(1'000'000 + n));
  finish.set_parent_id(id_of(finished));
  finish.set_kind(v1::KIND_FINISH);
  finish.set_created_at(created_at(n));
  finish.set_outcome(v1::OUTCOME_CLIENT_ABORTED);
  return finish.SerializeAsString();
}

std::string gzipped_json() {
  // printf '{"zipped":true}' | gzip -n
  constexpr char kBytes[] =
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\xaa\xca\x2c\x28\x48\x4d\x51\xb2\x2a\x29\x2a"
      "\x4d\xad\x05\x00\x84\x28\xbc\x08\x0f\x00\x00\x00";
  return std::string(kBytes, sizeof kBytes - 1);
}

std::string record_at(std::uint64_t n) {
  if (n == 77) return "\xff no exchange";
  if (n % 50 == 3 && n > kRecordsOfADay) return finish_of(n, n - kRecordsOfADay - 2);
  if (n % 50 == 2) return finish_of(n, n - 1);
  if (n % 50 == 5) return record_at(n - 1);  // its publisher sent it again
  v1::Exchange exchange;
  exchange.set_id(id_of(n));
  exchange.set_created_at(created_at(n));
  exchange.set_kind(n % 9 == 0 ? v1::KIND_SHADOW : v1::KIND_PRIMARY);
  if (n % 9 == 0) exchange.set_parent_id(id_of(n - 1));
  exchange.set_outcome(n % 40 == 7 ? v1::OUTCOME_UPSTREAM_TIMEOUT : v1::OUTCOME_COMPLETED);
  if (n % 3 == 0) exchange.set_account_id(fmt::format("k\xc3\xb6nig-{}", n % 10));
  v1::Request& request = *exchange.mutable_request();
  request.set_method(n % 4 == 0 ? "POST" : "GET");
  request.set_target(fmt::format("/searches/{}?q=%20{}", n % 5, n));
  add_field(*request.mutable_fields(), "Accept", "text/html");
  add_field(*request.mutable_fields(), "accept", fmt::format("*/*;n={}", n));
  add_field(*request.mutable_fields(), "X-Octets", "a\xff" "b");
  if (n % 4 == 0) set_body(*request.mutable_body(), fmt::format("{{\"n\":{}}}", n));
  if (n % 40 == 7) return exchange.SerializeAsString();
  v1::Response& response = *exchange.mutable_response();
  response.set_status(n % 20 == 0 ? 503 : 200);
  if (n % 6 == 0) add_field(*response.mutable_fields(), "Content-Encoding", "gzip");
  if (n % 6 == 0) {
    set_body(*response.mutable_body(), gzipped_json());
  } else if (n % 6 == 1) {
    set_body(*response.mutable_body(), std::string("\x89PNG\0\xff", 6));
  } else {
    set_body(*response.mutable_body(), fmt::format("Gr\xc3\xbc\xc3\x9f" "e, {}\n", n));
  }
  exchange.mutable_timing()->set_last_byte(static_cast<std::uint32_t>(n * 100));
  return exchange.SerializeAsString();
}

class Reader : public RecordReader {
 public:
  Reader(std::uint64_t from, std::uint64_t to) : at_(from), to_(to) {}
  std::optional<SourceRecord> next() override {
    if (at_ >= to_) return std::nullopt;
    payload_ = record_at(at_);
    const bool again = at_ % 50 == 5;
    return SourceRecord{.offset = at_++, .payload = payload_, .redelivered = again};
  }

 private:
  std::uint64_t at_;
  std::uint64_t to_;
  std::string payload_;
};

class Records : public RecordSource {
 public:
  std::uint64_t end = 0;

  const std::string& name() const override { return name_; }
  std::vector<Chain> chains() override { return {kChain}; }
  std::uint64_t first(const Chain&) override { return 1; }
  std::optional<Waiting> waiting(const Chain& chain, std::uint64_t next) override {
    if (next >= end) return std::nullopt;
    return Waiting{.chain = chain, .lost_from = next, .lost_reason = {}, .from = next, .to = end};
  }
  std::unique_ptr<RecordReader> read(const Chain&, std::uint64_t from, std::uint64_t to) override {
    return std::make_unique<Reader>(from, to);
  }
  void archived(const Chain&, std::uint64_t) override {}
  void wait(std::chrono::milliseconds) override {}

 private:
  std::string name_ = "given:three-days";
};

}  // namespace

void archive_three_days(ObjectStore& store) {
  const TempDir staging;
  Archive archive = Archive::open_or_create(store);
  Records records;
  ArchiveFileEncoder encoder;
  for (std::uint64_t day = 0; day < kDays; ++day) {
    records.end = (day + 1) * kRecordsOfADay;
    ArchiverOptions options;
    options.staging = staging / "archiver";
    options.flush_rows = 250;
    options.writer = "test";
    options.now = [day] { return kFirstDay + static_cast<std::int64_t>(day + 1) * kDayMicros - 1; };
    Archiver(archive, records, encoder, options).run_once();
  }
  Workbench bench(store, {.staging = staging / "upkeep"});
  CompactionOptions options;
  options.before = day_of(kFirstDay + 2 * kDayMicros);
  Compactor(archive, bench, options, kFirstDay + 3 * kDayMicros).run();
}

std::unique_ptr<ObjectStore> archive_three_days(const Versitygw& server) {
  server.make_bucket("traffic");
  auto store =
      open_store({.folder = {}, .bucket = "traffic", .prefix = "segue/eu"}, settings_for(server));
  archive_three_days(*store);
  return store;
}

}  // namespace segue::test
