#include "tests/warehouse/archive/given_records.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <random>

#include "recorder/exchange.pb.h"
#include "warehouse/sql/engine.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::test {
namespace {

using namespace warehouse;

constexpr std::int64_t kBegin = 1'763'715'600'000'000;  // 2025-11-21 09:00 UTC

class GivenReader : public RecordReader {
 public:
  GivenReader(const GivenRecords& source, Chain chain, std::uint64_t from, std::uint64_t to)
      : source_(source), chain_(std::move(chain)), at_(from), to_(to) {}

  std::optional<SourceRecord> next() override {
    const GivenRecords::Extent& extent = source_.extents.at(chain_);
    at_ = std::max(at_, extent.first);
    if (at_ >= std::min(to_, extent.end)) return std::nullopt;
    if (source_.before_read) source_.before_read(at_);
    payload_ = record_at(chain_, at_, source_.body_bytes, source_.incompressible ? at_ + 1 : 0);
    return SourceRecord{.offset = at_++, .payload = payload_, .redelivered = at_ % 17 == 0};
  }

 private:
  const GivenRecords& source_;
  Chain chain_;
  std::uint64_t at_;
  std::uint64_t to_;
  std::string payload_;
};

}  // namespace

std::string record_at(const Chain& chain, std::uint64_t offset, std::size_t body_bytes,
                      std::uint64_t noise) {
  if (offset % 13 == 0) return fmt::format("\xff no exchange {}", offset);
  v1::Exchange exchange;
  std::string id(16, '\0');
  for (std::size_t i = 0; i < 8; ++i) id[15 - i] = static_cast<char>(offset >> (8 * i));
  id[0] = chain.partition.empty() ? '\0' : chain.partition.back();
  exchange.set_id(id);
  exchange.set_created_at(kBegin + static_cast<std::int64_t>(offset) * 1000);
  exchange.set_kind(offset % 11 == 0 ? v1::KIND_FINISH : v1::KIND_PRIMARY);
  exchange.set_outcome(offset % 7 == 0 ? v1::OUTCOME_UPSTREAM_RESET : v1::OUTCOME_COMPLETED);
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target(fmt::format("/things/{}", offset));
  v1::Field& field = *exchange.mutable_request()->add_fields();
  field.set_name("Accept");
  field.set_value("*/*");
  v1::Response& response = *exchange.mutable_response();
  response.set_status(200);
  response.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  std::string body(body_bytes, static_cast<char>('a' + offset % 26));
  std::mt19937_64 random(noise);
  if (noise != 0)
    for (char& each : body) each = static_cast<char>('0' + random() % 75);
  response.mutable_body()->set_content(std::move(body));
  response.mutable_body()->set_size(body_bytes);
  return exchange.SerializeAsString();
}

std::vector<Chain> GivenRecords::chains() {
  std::vector<Chain> all;
  for (const auto& [chain, extent] : extents) all.push_back(chain);
  return all;
}

std::uint64_t GivenRecords::first(const Chain& chain) { return extents.at(chain).first; }

std::optional<Waiting> GivenRecords::waiting(const Chain& chain, std::uint64_t next) {
  const Extent& extent = extents.at(chain);
  if (extent.end == next) return std::nullopt;
  const std::uint64_t from = std::max(next, extent.first);
  return Waiting{.chain = chain,
                 .lost_from = next,
                 .lost_reason = from == next ? "" : "the test took them",
                 .from = from,
                 .to = std::min(extent.end, from + at_a_time)};
}

std::unique_ptr<RecordReader> GivenRecords::read(const Chain& chain, std::uint64_t from,
                                                 std::uint64_t to) {
  return std::make_unique<GivenReader>(*this, chain, from, to);
}

void GivenRecords::archived(const Chain& chain, std::uint64_t next) {
  extents.at(chain).archived = next;
}

void GivenRecords::wait(std::chrono::milliseconds most) {
  if (while_waiting) return while_waiting();
  ::poll(nullptr, 0, static_cast<int>(most.count()));
}

ArchivedRows archived_rows(const std::filesystem::path& folder) {
  Engine engine;
  ArchivedRows found;
  const std::string files = (folder / "raw/*/*.parquet").string();
  const auto number = [](std::string_view text) {
    return text.data() == nullptr ? 0 : std::stoull(std::string(text));
  };
  engine.ask("SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*), count(DISTINCT (source, "
             "\"partition\", \"offset\")), min(\"offset\"), max(\"offset\") FROM read_parquet('" +
                 files + "'))",
             [&](const Engine::Row& row) {
               found = {number(row[0]), number(row[1]), number(row[2]), number(row[3])};
             });
  return found;
}

std::vector<std::string> what_is_amiss(const Archive& archive, std::uint64_t first,
                                       std::uint64_t end) {
  std::vector<std::string> amiss;
  for (const Chain& chain : archive.chains()) {
    std::uint64_t next = first;
    for (const auto& [claim, done] : archive.claims(chain)) {
      if (claim.start != next) amiss.push_back(fmt::format("{} begins elsewhere", claim.key()));
      next = claim.end + 1;
      if (!done) {
        amiss.push_back(fmt::format("{} is open", claim.key()));
      } else if (!done->path.empty()) {
        const auto content = archive.store().read(done->path);
        if (!content)
          amiss.push_back(fmt::format("{} is missing", done->path));
        else if (content->size() != done->file.bytes || sha256_of(*content) != done->file.sha256)
          amiss.push_back(fmt::format("{} is not what .done says", done->path));
      }
    }
    if (next != end)
      amiss.push_back(fmt::format("{}/{} ends at {}", chain.topic, chain.partition, next));
  }
  return amiss;
}

}  // namespace segue::test
