#include "recorder/publisher/publishing_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "recorder/publisher/exchange_schema.hpp"

namespace segue::recorder {
namespace {

using std::chrono::milliseconds;

// How long a wait lasts before the loop looks at its other duties.
constexpr milliseconds kLongestWait{50};
// A producer that was given up reports the end of each of its records within this.
constexpr milliseconds kPurgePatience{2'000};
constexpr milliseconds kAskTopicsAgain{200};

// What a person allowed; larger records are never handed over.
std::size_t ceiling_of(const kafka::Settings& settings) {
  std::size_t most = std::size_t{1} << 30;
  const auto given = settings.properties.find("message.max.bytes");
  if (given != settings.properties.end()) {
    const std::string& text = given->second;
    std::from_chars(text.data(), text.data() + text.size(), most);
  }
  return most;
}

// Whether reaching the cluster again shows that it is over; else a record must get through.
bool cured_by_reaching(FailureKind kind) noexcept {
  return kind == FailureKind::connect || kind == FailureKind::authentication ||
         kind == FailureKind::registry || kind == FailureKind::schema;
}

}  // namespace

PublishingLoop::PublishingLoop(const kafka::Settings& settings, const PublisherTimings& timings,
                               StatusBoard& status, Wake& wake, const Ending& ending)
    : settings_(settings),
      timings_(timings),
      status_(status),
      wake_(wake),
      ending_(ending),
      flights_(kMaxQueuedRecords, kMaxQueuedBytes),
      limits_(settings.shadow_topic.empty() ? 1 : 2, ceiling_of(settings)),
      outbox_(settings, limits_, flights_, status.draft()),
      skew_(outbox_.topics().size()),
      backoff_(timings.first_retry, timings.longest_retry),
      authentication_backoff_(timings.first_authentication_retry,
                              timings.longest_authentication_retry),
      idle_(timings.shortest_idle) {
  if (settings.registry) registry_.emplace(*settings.registry, timings.registry_patience);
  producer_ = std::make_unique<Producer>(settings_, outbox_.topics(), Producer::kDefaultBatchBytes,
                                         kMaxQueuedRecords, wake_);
}

void PublishingLoop::run(JournalConsumer& journal) {
  journal_ = &journal;
  while (!over()) {
    std::optional<Failure> failure = begin();
    if (!failure) failure = publish();
    if (failure) recover(std::move(*failure));
  }
  Failure ended;
  give_up_producer(ended);
  store(JournalConsumer::Sync::yes);
  next_show_ = {};
  keep_up();
}

bool PublishingLoop::over() const noexcept {
  switch (ending_.mode.load()) {
    case Ending::Mode::none:
      return false;
    case Ending::Mode::now:
      return true;
    case Ending::Mode::drain:
      break;
  }
  // Once more after an empty look: the first may have ended a round of the merge.
  constexpr unsigned kEmptyEnough = 2;
  return hopeless_ || (empty_looks_ >= kEmptyEnough && flights_.empty()) ||
         Clock::now().time_since_epoch().count() >= ending_.drain_until.load();
}

std::optional<Failure> PublishingLoop::begin() {
  if (auto failure = register_schemas()) return failure;
  if (auto failure = open(limits_.smallest())) return failure;
  if (auto failure = reach_topics()) return failure;
  if (auto failure = heed_refusal()) return failure;
  if (producer_->batch_bytes() > limits_.smallest()) {
    probe_.reset();
    producer_.reset();
    if (auto failure = open(limits_.smallest())) return failure;
  }
  const auto trouble = status_.trouble();
  if (!over() && (!trouble || cured_by_reaching(*trouble))) cured();
  return std::nullopt;
}

std::optional<Failure> PublishingLoop::register_schemas() {
  if (!registry_ || outbox_.framed()) return std::nullopt;
  using Kind = kafka::RegistryAnswer::Kind;
  std::vector<std::uint32_t> ids;
  for (const std::string& topic : outbox_.topics()) {
    if (over()) return std::nullopt;
    const auto answer = registry_->ensure(kafka::value_subject(topic), exchange_schema());
    if (answer.kind == Kind::ok) {
      ids.push_back(static_cast<std::uint32_t>(answer.schema_id));
      continue;
    }
    const std::string reason = fmt::format("schema registry: {}", answer.detail);
    if (answer.kind == Kind::unreachable)
      return Failure{FailureKind::registry, reason, Failure::Again::soon};
    const bool incompatible = answer.kind == Kind::incompatible;
    return Failure{incompatible ? FailureKind::schema : FailureKind::registry, reason,
                   Failure::Again::later};
  }
  outbox_.frame_with(std::move(ids));
  return std::nullopt;
}

std::optional<Failure> PublishingLoop::open(std::size_t batch_bytes) {
  try {
    if (!producer_)
      producer_ = std::make_unique<Producer>(settings_, outbox_.topics(), batch_bytes,
                                             kMaxQueuedRecords, wake_);
  } catch (const StartupError& error) {  // a file of the settings is gone or has changed
    return Failure{FailureKind::other, error.what(), Failure::Again::soon};
  }
  probe_ = std::make_unique<TopicProbe>(*producer_->handle(), outbox_.topics(), wake_);
  return std::nullopt;
}

std::optional<Failure> PublishingLoop::reach_topics() {
  const auto missing_until = Clock::now() + timings_.topic_patience;
  auto untold_at = Clock::time_point::max();  // then nobody will say what the topics take
  probe_->ask();
  while (!over() && Clock::now() < untold_at) {
    if (auto failure = collect()) return failure;
    if (const auto answers = probe_->answer()) {
      limits_.learn(*answers);
      const auto missing = missing_topic(*answers);
      if (!missing) return std::nullopt;
      if (Clock::now() >= missing_until) return missing;
      pause(kAskTopicsAgain);
      probe_->ask();
    }
    if (untold_at == Clock::time_point::max() && producer_->reached())
      untold_at = Clock::now() + timings_.limit_patience;
    keep_up();
    wake_.wait(kLongestWait);
  }
  return std::nullopt;
}

std::optional<Failure> PublishingLoop::missing_topic(
    const std::vector<TopicAnswer>& answers) const {
  const auto missing = std::ranges::find(answers, TopicAnswer::Kind::missing, &TopicAnswer::kind);
  if (missing == answers.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(missing - answers.begin());
  return Failure{FailureKind::unknown_topic,
                 fmt::format("there is no topic {}: make it with `seguectl topics ensure`",
                             outbox_.topics()[index]),
                 Failure::Again::soon};
}

// A topic refused a record that was within its limit. Either its limit is another by now, or what
// it says is not what it does.
std::optional<Failure> PublishingLoop::heed_refusal() {
  if (!refusal_) return std::nullopt;
  const Refusal refusal = *std::exchange(refusal_, std::nullopt);
  if (limits_.of(refusal.topic) != refusal.limit ||
      limits_.refused(refusal.topic) == TopicLimits::Halved::yes)
    return std::nullopt;
  return Failure{FailureKind::too_large,
                 fmt::format("{} refuses even records of {} bytes: raise max.message.bytes of the "
                             "topic",
                             outbox_.topics()[refusal.topic], refusal.limit),
                 Failure::Again::soon};
}

std::optional<Failure> PublishingLoop::publish() {
  position_ = Position::behind;
  next_look_ = {};
  while (!over()) {
    if (auto failure = collect()) return failure;
    if (auto failure = read_when_due()) return failure;
    look_at_probe();
    keep_up();
    if (position_ == Position::behind) continue;
    const auto rest = std::chrono::ceil<milliseconds>(next_look_ - Clock::now());
    wake_.wait(position_ == Position::no_room ? kLongestWait : std::min(rest, kLongestWait));
  }
  return std::nullopt;
}

// An answer shows that a broker is there, also when nothing was sent.
void PublishingLoop::look_at_probe() {
  const auto answers = probe_->answer();
  if (!answers) return;
  limits_.learn(*answers);
  if (status_.trouble() == FailureKind::connect) cured();
}

void PublishingLoop::recover(Failure failure) {
  give_up_producer(failure);
  held_.reset();
  journal_->rewind();
  empty_looks_ = 0;  // what was given up is there to be read again
  if (over()) return;
  status_.count(failure.kind);
  using Again = Failure::Again;
  if (failure.again == Again::now) return;
  const bool halts = failure.again == Again::later || failure.again == Again::never;
  hopeless_ = halts;
  status_.hindered(halts ? PublisherStatus::State::halted : PublisherStatus::State::waiting,
                   failure.kind, failure.reason);
  switch (failure.again) {
    case Again::slowly:
      pause(authentication_backoff_.next());
      break;
    case Again::later:
      pause(timings_.look_again);
      break;
    case Again::never:
      pause(milliseconds::max());
      break;
    default:
      pause(backoff_.next());
  }
}

// Waits for the reports of all its records: one of them may say what really happened.
void PublishingLoop::give_up_producer(Failure& failure) {
  probe_.reset();
  if (!producer_) return;
  producer_->purge();
  const auto until = Clock::now() + kPurgePatience;
  while (!flights_.empty() && Clock::now() < until) {
    if (auto cause = collect(); cause && failure.kind == FailureKind::fatal)
      failure = std::move(*cause);
    if (!flights_.empty()) wake_.wait(kLongestWait);
  }
  producer_.reset();
  flights_.clear([this](const Flight& flight) { outbox_.may_be_there(flight); });
}

void PublishingLoop::pause(milliseconds for_so_long) {
  const auto now = Clock::now();
  const auto until =
      for_so_long == milliseconds::max() ? Clock::time_point::max() : now + for_so_long;
  while (!over() && Clock::now() < until) {
    keep_up();
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    wake_.wait(std::min(left, kLongestWait));
  }
}

std::string PublishingLoop::destination() const {
  return fmt::format("{} at {}", settings_.topic, fmt::join(settings_.brokers, ","));
}

}  // namespace segue::recorder
