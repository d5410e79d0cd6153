// The loop's two sides: what Kafka says, and what the journal holds.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "recorder/publisher/publishing_loop.hpp"

namespace segue::recorder {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShowInterval{50};
// After the cursor could not be written.
constexpr milliseconds kStoreAgain{1'000};

// Keeps what says most: a record's own fault rather than what followed from it.
void keep_cause(std::optional<Failure>& known, Failure other) {
  if (!known || (known->kind == FailureKind::fatal && other.kind != FailureKind::fatal))
    known = std::move(other);
}

}  // namespace

std::optional<Failure> PublishingLoop::collect() {
  producer_->poll();
  std::optional<Failure> failure;
  for (const DeliveryReport& report : producer_->reports()) {
    if (report.error == RD_KAFKA_RESP_ERR_NO_ERROR)
      acknowledged(report);
    else
      keep_cause(failure, refused(report));
    flights_.land(report.flight);
  }
  producer_->reports().clear();
  for (const ClientError& error : producer_->errors()) {
    if (auto heard_of = heard(error)) keep_cause(failure, std::move(*heard_of));
  }
  producer_->errors().clear();
  return failure;
}

void PublishingLoop::acknowledged(const DeliveryReport& report) {
  const Flight& flight = *report.flight;
  journal_->done(flight.run, flight.lane, flight.lane_sequence);
  outbox_.may_be_there(flight);  // and comes again when one before it fails
  ++status_.draft().published_records;
  status_.draft().published_bytes += flight.bytes;
  skew_[flight.topic].delivered(report.partition);
  moved_ = true;
  unsynced_ = true;
  if (status_.draft().state != PublisherStatus::State::publishing) cured();
}

Failure PublishingLoop::refused(const DeliveryReport& report) {
  if (report.again == Redelivery::possible) outbox_.may_be_there(*report.flight);
  if (is_consequence(report.error))
    return {FailureKind::fatal, rd_kafka_err2str(report.error), Failure::Again::soon};
  const std::uint32_t topic = report.flight->topic;
  Failure failure{kind_of(report.error),
                  fmt::format("{}: {}", outbox_.topics()[topic], rd_kafka_err2str(report.error)),
                  Failure::Again::soon};
  if (failure.kind == FailureKind::too_large) {
    refusal_ = Refusal{topic, limits_.of(topic)};
    failure.again = Failure::Again::now;
  }
  return failure;
}

std::optional<Failure> PublishingLoop::heard(const ClientError& error) {
  const FailureKind kind = kind_of(error.error);
  if (kind == FailureKind::authentication)
    return Failure{kind, kafka::explain_authentication_failure(settings_, error.reason),
                   kafka::scram_is_beyond_librdkafka(settings_) ? Failure::Again::never
                                                              : Failure::Again::slowly};
  if (error.fatal) return Failure{kind, error.reason, Failure::Again::soon};
  if (kind == FailureKind::connect)
    broker_trouble(error);
  else
    status_.count(kind);
  return std::nullopt;
}

// librdkafka itself goes on trying, with back-off and jitter. One broker of several may fail at any
// time; only when none is left does publishing wait.
void PublishingLoop::broker_trouble(const ClientError& error) {
  status_.count(FailureKind::connect);
  const bool all = error.error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  if (!all) broker_trouble_ = error.reason;
  const auto state = status_.draft().state;
  if (!all && state != PublisherStatus::State::connecting) return;
  status_.hindered(state == PublisherStatus::State::connecting ? PublisherStatus::State::connecting
                                                               : PublisherStatus::State::waiting,
                   FailureKind::connect, broker_trouble_.empty() ? error.reason : broker_trouble_);
  if (probe_) probe_->ask();  // its answer shows that a broker is back, when nothing is sent
}

void PublishingLoop::cured() {
  backoff_.reset();
  authentication_backoff_.reset();
  hopeless_ = false;
  status_.publishing(destination());
}

std::optional<Failure> PublishingLoop::read_when_due() {
  const bool nudged = wake_.take_nudge();
  if (position_ == Position::caught_up && !nudged && Clock::now() < next_look_) return std::nullopt;
  return read();
}

std::optional<Failure> PublishingLoop::read() {
  const bool draining = ending_.mode.load() == Ending::Mode::drain;
  for (unsigned i = 0; i < kBurst; ++i) {
    if (!held_) {
      const auto next = journal_->next();
      if (!next) return Failure{FailureKind::other, describe(next.error()), Failure::Again::soon};
      if (!*next) {
        empty_looks_ = draining ? empty_looks_ + 1 : 0;
        nothing_found();
        return std::nullopt;
      }
      held_ = **next;
      idle_ = timings_.shortest_idle;
      empty_looks_ = 0;
    }
    switch (outbox_.offer(*held_, *producer_)) {
      case Outbox::Offer::sent:
        held_.reset();
        break;
      case Outbox::Offer::later:
        position_ = Position::no_room;
        return std::nullopt;
      case Outbox::Offer::failed:
        return outbox_.failure();
    }
  }
  position_ = Position::behind;
  return std::nullopt;
}

void PublishingLoop::nothing_found() {
  position_ = Position::caught_up;
  next_look_ = Clock::now();
  if (ending_.mode.load() != Ending::Mode::drain) next_look_ += idle_;
  constexpr int kSlowerBy = 4;  // a quarter
  idle_ = std::min(idle_ + idle_ / kSlowerBy, timings_.longest_idle);
  const auto trouble = status_.trouble();
  if (flights_.empty() && trouble && *trouble != FailureKind::connect) cured();
}

void PublishingLoop::keep_up() {
  const auto now = Clock::now();
  if (unsynced_ && now >= next_sync_) {
    store(JournalConsumer::Sync::yes);
    next_sync_ = now + timings_.sync_interval;
  } else if (moved_ && now >= next_store_) {
    store(JournalConsumer::Sync::no);
  }
  if (now < next_show_) return;
  next_show_ = now + kShowInterval;
  PublisherStatus& draft = status_.draft();
  draft.lag = journal_->lag();
  draft.lost_frames = journal_->lost_frames();
  draft.unreadable_runs = journal_->unreadable_runs();
  draft.queued_records = flights_.count();
  if (producer_) {
    draft.partition_skew = 0;
    for (std::uint32_t topic = 0; topic < skew_.size(); ++topic)
      draft.partition_skew =
          std::max(draft.partition_skew, skew_[topic].value(producer_->partitions(topic)));
  }
  status_.show();
}

void PublishingLoop::store(JournalConsumer::Sync sync) {
  const auto now = Clock::now();
  if (journal_->store(sync)) {
    moved_ = false;
    if (sync == JournalConsumer::Sync::yes) unsynced_ = false;
    next_store_ = now + timings_.store_interval;
    return;
  }
  status_.count(FailureKind::other);  // it is tried again; at worst more is sent twice
  next_store_ = now + kStoreAgain;
}

}  // namespace segue::recorder
