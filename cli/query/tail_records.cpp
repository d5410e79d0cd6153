#include "cli/query/tail_records.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "cli/exchange_value.hpp"
#include "cli/seen_ids.hpp"
#include "exchange/error.hpp"
#include "kafka/cluster.hpp"
#include "kafka/topic_reader.hpp"
#include "warehouse/archive/topic_records.hpp"

namespace segue::cli {
namespace {

using warehouse::ArchivedListing;

class WholeSource : public TailRecords {
 public:
  WholeSource(const Source& source, std::int64_t since)
      : reader_(source, {since, 0, 0, ReadRange::Until::now, {}, {}}) {}

  v1::Exchange* next() override { return reader_.next(); }
  void tell() override { reader_.tell_damage(); }

 private:
  ExchangeReader reader_;
};

// A lane begins behind the last record of its chain.
class JournalTail : public TailRecords {
 public:
  JournalTail(const Source& source, const ArchivedListing& listing, std::int64_t since)
      : listing_(listing) {
    recorder::ReadOptions options;
    options.since = since;
    options.behind = [this](std::string_view run, std::uint32_t lane) { return end(run, lane); };
    auto opened = recorder::JournalReader::open(source.journal, options);
    if (!opened) throw StartupError(recorder::why_unopened(source.journal, opened.error()));
    reader_ = std::move(*opened);
  }

  v1::Exchange* next() override {
    for (;;) {
      auto frame = reader_->next();
      if (!frame) throw StartupError(describe(frame.error()));
      if (!*frame) return nullptr;
      const recorder::Frame& found = **frame;
      const auto size = static_cast<int>(found.payload.size());
      if (!exchange_.ParseFromArray(found.payload.data(), size)) continue;
      // What recovery is yet to append has the number of its intent until then.
      const bool to_be_appended = exchange_.outcome() == v1::OUTCOME_INTERRUPTED;
      if (found.lane_sequence > end(found.run, found.lane) || to_be_appended) return &exchange_;
    }
  }

  void tell() override {
    for (const recorder::Damage& damage : reader_->damage())
      fmt::print(stderr, "seguectl: {} at byte {}: {}{}\n", damage.segment.string(), damage.offset,
                 damage.what,
                 damage.lost == 0 ? "" : fmt::format(" ({} exchanges lost)", damage.lost));
  }

 private:
  std::uint64_t end(std::string_view run, std::uint32_t lane) const {
    return listing_.end({}, fmt::format("{}-{}", run, lane)).value_or(0);
  }

  const ArchivedListing& listing_;
  std::unique_ptr<recorder::JournalReader> reader_;
  v1::Exchange exchange_;
};

// One partition after the other, each behind the last offset of its chain. What was put back from
// the archive is in it.
class TopicTail : public TailRecords {
 public:
  TopicTail(const KafkaSource& source, const ArchivedListing& listing)
      : topic_(source.topic), listing_(listing), cluster_(source.settings, source.timeout) {
    for (const kafka::PartitionPlace& partition : cluster_.topic(topic_).partitions)
      partitions_.push_back(partition.id);
  }

  v1::Exchange* next() override {
    for (;;) {
      const kafka::TopicRecord* const record = reader_ ? reader_->next() : nullptr;
      if (record == nullptr && !open_next()) return nullptr;
      if (record == nullptr || is_restored(*record)) continue;
      const bool taken = record->value && decode_exchange(*record->value, exchange_) &&
                         !seen_.seen_before(exchange_.id());
      if (!taken) continue;
      may_be_twice_ = warehouse::may_be_twice(*record);
      return &exchange_;
    }
  }

  bool may_be_twice() const override { return may_be_twice_; }
  void tell() override {}

 private:
  bool is_restored(const kafka::TopicRecord& record) const {
    const auto mark = warehouse::mark_of(record);
    return mark && mark->archive == listing_.archive_id();
  }

  bool open_next() {
    if (partitions_.empty()) return false;
    const std::int32_t partition = partitions_.back();
    partitions_.pop_back();
    const auto end = listing_.end(topic_, fmt::format("{}", partition));
    using Kind = kafka::StartPosition::Kind;
    kafka::StartPosition start{};
    if (end) start = {Kind::offset, static_cast<std::int64_t>(*end) + 1};
    kafka::TopicReadOptions options;
    options.partitions = {partition};
    options.start = start;
    reader_ = std::make_unique<kafka::TopicReader>(cluster_, topic_, options);
    return true;
  }

  const std::string topic_;
  const ArchivedListing& listing_;
  kafka::Cluster cluster_;
  std::vector<std::int32_t> partitions_;  // to come
  std::unique_ptr<kafka::TopicReader> reader_;
  SeenIds seen_;
  v1::Exchange exchange_;
  bool may_be_twice_ = false;
};

}  // namespace

std::unique_ptr<TailRecords> open_tail(const Source& source, const ArchivedListing* listing,
                                       std::int64_t since) {
  if (listing == nullptr) return std::make_unique<WholeSource>(source, since);
  if (source.kafka) return std::make_unique<TopicTail>(*source.kafka, *listing);
  return std::make_unique<JournalTail>(source, *listing, since);
}

}  // namespace segue::cli
