#include "cli/exchange_reader.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "exchange/error.hpp"

namespace segue::cli {
namespace {

std::unique_ptr<recorder::JournalReader> open_reader(const Source& source, std::int64_t since,
                                                     unsigned last_segments) {
  recorder::ReadOptions options;
  options.since = since;
  options.last_segments = last_segments;
  auto opened = recorder::JournalReader::open(source.journal, options);
  if (!opened)
    throw StartupError(
        fmt::format("journal:{}: {}", source.journal.string(), describe(opened.error())));
  return std::move(*opened);
}

recorder::Frame* next_frame(recorder::JournalReader& reader,
                            std::optional<recorder::Frame>& frame) {
  auto found = reader.next();
  if (!found) throw StartupError(describe(found.error()));
  frame = *found;
  return frame ? &*frame : nullptr;
}

bool parse(const recorder::Frame& frame, v1::Exchange& exchange) {
  return exchange.ParseFromArray(frame.payload.data(), static_cast<int>(frame.payload.size()));
}

}  // namespace

ExchangeReader::ExchangeReader(const Source& source, std::int64_t since, unsigned last_segments)
    : reader_(open_reader(source, since, last_segments)) {}

v1::Exchange* ExchangeReader::next() {
  std::optional<recorder::Frame> frame;
  while (next_frame(*reader_, frame) != nullptr) {
    if (parse(*frame, exchange_)) return &exchange_;
    unreadable_.push_back(fmt::format("frame {} of lane {} in run {} is no exchange",
                                      frame->lane_sequence, frame->lane, frame->run));
  }
  return nullptr;
}

void ExchangeReader::tell_damage() {
  for (const std::string& line : unreadable_) fmt::print(stderr, "seguectl: {}\n", line);
  unreadable_.clear();
  const auto& damage = reader_->damage();
  for (; told_ < damage.size(); ++told_) {
    const recorder::Damage& one = damage[told_];
    const std::string lost =
        one.lost == 0 ? std::string{} : fmt::format(" ({} exchanges lost)", one.lost);
    fmt::print(stderr, "seguectl: {} at byte {}: {}{}\n", one.segment.string(), one.offset,
               one.what, lost);
  }
}

Finishes gather_finishes(const Source& source, std::int64_t since) {
  Finishes finishes;
  const auto reader = open_reader(source, since, 0);
  std::optional<recorder::Frame> frame;
  while (next_frame(*reader, frame) != nullptr) {
    v1::Exchange finish;
    if (frame->kind == recorder::FrameKind::finish && parse(*frame, finish))
      finishes.insert_or_assign(finish.parent_id(), std::move(finish));
  }
  return finishes;
}

}  // namespace segue::cli
