#include "tests/warehouse/upkeep/made_archive.hpp"

#include <fmt/format.h>

#include <utility>

#include "tests/support/patience.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/archive/record_source.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::warehouse {
namespace {

constexpr std::int64_t kSecond = 1'000'000;  // microseconds

std::string id_octets(std::uint64_t id) {
  std::string octets(16, '\0');
  for (std::size_t i = 0; i < 8; ++i) octets[15 - i] = static_cast<char>(id >> (8 * i));
  return octets;
}

std::int64_t micros_of(Day day) {
  return std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count();
}

std::string payload_of(const MadeRow& row, Day day) {
  if (row.id == 0) return "\xff no exchange";
  v1::Exchange exchange;
  exchange.set_id(id_octets(row.id));
  if (row.parent != 0) exchange.set_parent_id(id_octets(row.parent));
  exchange.set_kind(row.kind);
  exchange.set_created_at(micros_of(day) + static_cast<std::int64_t>(row.id % 80'000) * kSecond);
  exchange.set_outcome(row.outcome);
  exchange.set_account_id(row.account);
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target(fmt::format("/things/{}?of={}", row.id, row.account));
  exchange.mutable_response()->set_status(row.status);
  return exchange.SerializeAsString();
}

class MadeRecords : public RecordReader {
 public:
  MadeRecords(const std::vector<MadeRow>& rows, Day day, std::uint64_t start)
      : rows_(rows), day_(day), start_(start) {}

  std::optional<SourceRecord> next() override {
    if (at_ == rows_.size()) return std::nullopt;
    const MadeRow& row = rows_[at_];
    payload_ = payload_of(row, day_);
    return SourceRecord{
        .offset = start_ + at_++, .payload = payload_, .redelivered = row.redelivered};
  }

 private:
  const std::vector<MadeRow>& rows_;
  Day day_;
  std::uint64_t start_;
  std::size_t at_ = 0;
  std::string payload_;
};

}  // namespace

std::string id_text(std::uint64_t id) {
  return fmt::format("00000000-0000-0000-{:04x}-{:012x}", id >> 48, id & 0xffffffffffff);
}

MadeArchive::MadeArchive() : store_(folder_.path()), archive_(Archive::open_or_create(store_)) {
  mount_to_ask(engine_, store_);
}

Claim MadeArchive::claim_rows(const Chain& chain, Day day, const std::vector<MadeRow>& rows,
                              const std::filesystem::path& file) {
  archive_.start_chain(chain, 1);
  Claim claim;
  claim.chain = chain;
  claim.start = archive_.tip(chain).next;
  claim.end = claim.start + rows.size() - 1;
  claim.day = day;
  claim.encoder = encoder_.version();
  claim.writer = "a test";
  claim.claimed_at = micros_of(day);
  MadeRecords records(rows, day, claim.start);
  claim.file = encoder_.encode(chain, records, file);
  archive_.claim(claim);
  return claim;
}

Claim MadeArchive::add(const Chain& chain, Day day, const std::vector<MadeRow>& rows, End end) {
  const auto file = staging_ / "file.parquet";
  const Claim claim = claim_rows(chain, day, rows, file);
  if (end == End::open) return claim;
  const std::string key = raw_key(place(archive_, claim), chain, claim.start, claim.end);
  store_.create_from(key, file);
  if (end == End::done) archive_.say_done(claim, {key, claim.file, claim.claimed_at, 0});
  return claim;
}

Claim MadeArchive::add_placed(const Chain& chain, Day day, Day placed,
                              const std::vector<MadeRow>& rows) {
  const auto file = staging_ / "file.parquet";
  const Claim claim = claim_rows(chain, day, rows, file);
  const std::string key = raw_key(placed, chain, claim.start, claim.end);
  store_.create_from(key, file);
  archive_.say_done(claim, {key, claim.file, claim.claimed_at, 0});
  return claim;
}

void MadeArchive::add_lost(const Chain& chain, Day day, std::uint64_t records) {
  archive_.start_chain(chain, 1);
  Claim claim;
  claim.chain = chain;
  claim.start = archive_.tip(chain).next;
  claim.end = claim.start + records - 1;
  claim.kind = Claim::Kind::lost;
  claim.day = day;
  claim.reason = "the ring was full";
  archive_.claim(claim);
  archive_.say_done(claim, {"", {}, 0, 0});
}

std::string MadeArchive::file_of(const Claim& claim) { return archive_.done(claim)->path; }

std::string MadeArchive::ask(const std::string& sql) {
  const test::Deadline deadline;
  for (;;) {
    try {
      return ask_once(sql);
    } catch (const StorageError&) {
      if (deadline.left() <= 0) throw;
    }
  }
}

std::string MadeArchive::ask_once(const std::string& sql) {
  std::string files;
  for (const StoredObject& file : archive_.files())
    files += (files.empty() ? "" : ", ") + sql_literal(sql_path(file.key));
  std::string text;
  engine_.ask(fmt::format("SELECT COLUMNS(*)::VARCHAR FROM ({})",
                          fmt::format(fmt::runtime(sql), fmt::format("read_parquet([{}])", files))),
              [&](const Engine::Row& row) {
                for (const std::string_view value : row)
                  text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
                text += '\n';
              });
  return text;
}

std::string MadeArchive::everything() {
  std::string text;
  store_.list("", "", [&](const StoredObject& object) {
    text += fmt::format("{} {}\n", object.key, std::hash<std::string>{}(*store_.read(object.key)));
  });
  return text;
}

}  // namespace segue::warehouse
