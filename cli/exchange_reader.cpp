#include "cli/exchange_reader.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

std::unique_ptr<recorder::JournalReader> open_journal(const Source& source,
                                                      const ReadRange& range) {
  recorder::ReadOptions options;
  options.since = range.since;
  options.last_segments = range.last_segments;
  auto opened = recorder::JournalReader::open(source.journal, options);
  if (!opened) throw StartupError(recorder::why_unopened(source.journal, opened.error()));
  return std::move(*opened);
}

kafka::StartPosition start_of(const ReadRange& range) {
  using Kind = kafka::StartPosition::Kind;
  if (range.last_records != 0)
    return {Kind::last, static_cast<std::int64_t>(range.last_records)};
  if (range.since > 0) return {Kind::time, range.since / 1000};
  return {};
}

std::unique_ptr<KafkaExchanges> open_topic(const Source& source, const ReadRange& range) {
  using End = kafka::TopicReadOptions::End;
  return std::make_unique<KafkaExchanges>(
      *source.kafka, start_of(range),
      range.until == ReadRange::Until::follow ? End::never : End::as_of_now);
}

std::unique_ptr<ArchiveExchanges> open_archive(const Source& source, const ReadRange& range) {
  using Follow = ArchiveRange::Follow;
  listen_for_interrupts();
  return or_interrupted([&] {
    return std::make_unique<ArchiveExchanges>(
        *source.archive,
        ArchiveRange{range.since, range.last_records, range.condition, range.ids,
                     range.until == ReadRange::Until::follow ? Follow::yes : Follow::no});
  });
}

bool read_next(ArchiveExchanges& archive, v1::Exchange& exchange) {
  if (interrupted()) throw Interrupted();
  return or_interrupted([&] { return archive.next(exchange); });
}

recorder::Frame* next_of(recorder::JournalReader& reader, std::optional<recorder::Frame>& frame) {
  auto found = reader.next();
  if (!found) throw StartupError(describe(found.error()));
  frame = *found;
  return frame ? &*frame : nullptr;
}

Finishes finishes_of_topic(const Source& source, const ReadRange& range) {
  Finishes finishes;
  const auto topic = open_topic(source, range);
  Progress progress(fmt::format("looking for how exchanges ended in {}", source.kafka->topic));
  v1::Exchange finish;
  while (topic->next_finish(finish)) {
    progress.at(topic->passed(), topic->expected());
    finishes.insert_or_assign(finish.parent_id(), std::move(finish));
  }
  return finishes;
}

Finishes finishes_of_archive(const Source& source, ReadRange range) {
  range.condition = "kind = 'FINISH'";
  Finishes finishes;
  const auto archive = open_archive(source, range);
  Progress progress(fmt::format("looking for how exchanges ended in {}", source.name()));
  v1::Exchange finish;
  while (read_next(*archive, finish)) {
    progress.at(archive->passed(), archive->expected());
    finishes.insert_or_assign(finish.parent_id(), std::move(finish));
  }
  return finishes;
}

ReadRange since_alone(std::int64_t since) {
  ReadRange range;
  range.since = since;
  return range;
}

}  // namespace

bool parse_whole(std::string_view record, v1::Exchange& into) {
  return into.ParseFromArray(record.data(), static_cast<int>(record.size()));
}

ExchangeReader::ExchangeReader(const Source& source, const ReadRange& range)
    : parse_(range.parse) {
  if (source.archive) {
    archive_ = open_archive(source, range);
    return;
  }
  if (source.kafka) {
    kafka_ = open_topic(source, range);
    return;
  }
  journal_ = open_journal(source, range);
  journal_progress_ = std::make_unique<JournalProgress>(source.journal);
}

v1::Exchange* ExchangeReader::next() {
  if (archive_) return read_next(*archive_, exchange_) ? &exchange_ : nullptr;
  if (kafka_) return kafka_->next(exchange_) ? &exchange_ : nullptr;
  return next_frame();
}

v1::Exchange* ExchangeReader::next_frame() {
  std::optional<recorder::Frame> frame;
  while (next_of(*journal_, frame) != nullptr) {
    journal_progress_->note(*frame);
    if (parse_(frame->payload, exchange_)) return &exchange_;
    unreadable_.push_back(fmt::format("frame {} of lane {} in run {} is no exchange",
                                      frame->lane_sequence, frame->lane, frame->run));
  }
  return nullptr;
}

void ExchangeReader::show(Progress& progress) const {
  if (archive_)
    progress.at(archive_->passed(), archive_->expected());
  else if (kafka_)
    progress.at(kafka_->passed(), kafka_->expected());
  else
    journal_progress_->show(progress);
}

void ExchangeReader::tell_damage() {
  if (archive_) return archive_->tell();
  if (kafka_) return kafka_->tell();
  for (const std::string& line : unreadable_) fmt::print(stderr, "seguectl: {}\n", line);
  unreadable_.clear();
  const auto& damage = journal_->damage();
  for (; told_ < damage.size(); ++told_) {
    const recorder::Damage& one = damage[told_];
    const std::string lost =
        one.lost == 0 ? std::string{} : fmt::format(" ({} exchanges lost)", one.lost);
    fmt::print(stderr, "seguectl: {} at byte {}: {}{}\n", one.segment.string(), one.offset,
               one.what, lost);
  }
}

Finishes gather_finishes(const Source& source, std::int64_t since) {
  const ReadRange range = since_alone(since);
  if (source.archive) return finishes_of_archive(source, range);
  if (source.kafka) return finishes_of_topic(source, range);
  Finishes finishes;
  const auto reader = open_journal(source, range);
  std::optional<recorder::Frame> frame;
  while (next_of(*reader, frame) != nullptr) {
    v1::Exchange finish;
    if (frame->kind == recorder::FrameKind::finish && parse_whole(frame->payload, finish))
      finishes.insert_or_assign(finish.parent_id(), std::move(finish));
  }
  return finishes;
}

}  // namespace segue::cli
