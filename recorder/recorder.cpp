#include "recorder/recorder.hpp"

#include <algorithm>
#include <boost/system/errc.hpp>

#include "exchange/ensure.hpp"
#include "recorder/journal/journal.hpp"

namespace segue::recorder {
namespace {

namespace errc = boost::system::errc;

// Room for what the record says around a response head: lengths, timing, attempts, redactions.
constexpr std::size_t kRecordOverhead = 4 << 10;
// Room for the reason of a cut, and for length prefixes that change with it.
constexpr std::size_t kCutSlack = 64;

// What is known so far, with the request body where that is complete and short.
ExchangeView as_intent(const ExchangeView& exchange) {
  ExchangeView intent = exchange;
  intent.outcome = Outcome::interrupted;
  BodyView& body = intent.request.body;
  const bool whole =
      body.capture == Capture::complete && body.size <= Recorder::kIntentBodyBytes;
  if (whole || body.blocks.empty()) return intent;
  body.blocks = {};
  body.capture = Capture::truncated;
  body.reason = "intent";
  return intent;
}

// Two bodies that together may keep `room` bytes: the smaller one whole where that is possible.
BodyCut fit(std::uint64_t request, std::uint64_t response, std::uint64_t room) {
  BodyCut cut{.capture = Capture::truncated, .reason = "frame"};
  if (request <= room / 2) {
    cut.response_bytes = room - request;
  } else if (response <= room / 2) {
    cut.request_bytes = room - response;
  } else {
    cut.request_bytes = room / 2;
    cut.response_bytes = room / 2;
  }
  return cut;
}

// What the list of redactions may take: each rule in each part that has values.
std::size_t listing_bytes(const RouteRules& rules) {
  constexpr std::size_t kAroundLabel = 16;
  std::size_t bytes = 0;
  for (const Rule& rule : rules.rules) bytes += rule.label.size() + kAroundLabel;
  for (const auto& rule : rules.headers.rules()) bytes += rule.label.size() + kAroundLabel;
  return bytes * Substitutes::kParts;
}

std::uint64_t captured(const BodyView& body) {
  std::uint64_t total = 0;
  for (const std::string_view block : body.blocks) total += block.size();
  return total;
}

}  // namespace

IntentTicket& IntentTicket::operator=(IntentTicket&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  lane_ = std::exchange(other.lane_, nullptr);
  reserved_ = other.reserved_;
  id_ = other.id_;
  return *this;
}

void IntentTicket::give_back() noexcept {
  if (lane_ != nullptr) lane_->release(reserved_);
  lane_ = nullptr;
}

Recorder::Ruling::Ruling(RecordSettings s)
    : settings(std::move(s)),
      rules(settings.redact),
      account(settings.hash_account ? AccountForm::hashed : AccountForm::plain),
      overhead(std::max(kRecordOverhead, listing_bytes(rules))) {}

Recorder::Recorder(Lane& lane, RecorderSettings settings, const AccountKey& key,
                   LanePromises promises)
    : lane_(lane),
      promises_(promises),
      unrouted_(std::move(settings.unrouted)),
      when_full_safe_(settings.when_full_safe),
      when_full_unsafe_(settings.when_full_unsafe),
      block_timeout_(settings.block_timeout),
      response_head_bytes_(settings.response_head_bytes),
      redactor_(settings.key, settings.lane),
      serialiser_(settings.provenance, key) {
  routes_.reserve(settings.routes.size());
  for (RecordSettings& route : settings.routes) routes_.emplace_back(std::move(route));
}

const Recorder::Ruling& Recorder::ruling(RouteIndex route) const noexcept {
  if (route == kUnrouted) return unrouted_;
  ensure(route < routes_.size(), "every route has record settings");
  return routes_[route];
}

Promise* Recorder::promise(RouteIndex route) const noexcept {
  const RecordSettings& record = ruling(route).settings;
  if (!record.enabled) return nullptr;
  switch (record.durability) {
    case Durability::disk:
      return promises_.disk;
    case Durability::kafka:
      return promises_.kafka;
    case Durability::best_effort:
    case Durability::journal:
      break;
  }
  return nullptr;
}

std::uint64_t Recorder::last_sequence() const noexcept { return lane_.last_sequence(); }

const RecordSettings& Recorder::settings(RouteIndex route) const noexcept {
  return ruling(route).settings;
}

// With best_effort the answer has gone before the append, and a shadow is nobody's answer: there is
// nobody left to refuse.
WhenFull Recorder::when_full(const ExchangeView& exchange, const Ruling& rule) const noexcept {
  if (exchange.kind != Kind::primary) return WhenFull::drop;
  if (rule.settings.durability == Durability::best_effort) return WhenFull::drop;
  return is_safe_method(exchange.request.head.method) ? when_full_safe_ : when_full_unsafe_;
}

bool Recorder::wants_wait(const Error& error) noexcept {
  return error.at_fault == Party::journal &&
         error.code == errc::make_error_code(errc::resource_unavailable_try_again);
}

Error Recorder::no_room(WhenFull policy, const char* doing) {
  if (policy == WhenFull::block) {
    counters_.blocked.add(1);
    return {errc::make_error_code(errc::resource_unavailable_try_again), Party::journal,
            Retry::never, doing};
  }
  counters_.refused.add(1);
  return {errc::make_error_code(errc::no_space_on_device), Party::journal, Retry::never, doing};
}

Result<IntentTicket> Recorder::intend(const ExchangeView& exchange, RouteIndex route) {
  const Ruling& rule = ruling(route);
  if (!rule.settings.enabled || rule.settings.durability == Durability::best_effort)
    return IntentTicket{};

  const ExchangeView intent = as_intent(exchange);
  // Both bodies may be decoded by now, and longer than they came.
  const BodyCut cut{.request_bytes = kIntentBodyBytes, .response_bytes = 0, .reason = "intent"};
  const std::size_t bytes = measure(redact(intent, rule), rule, cut);
  const std::size_t head_bytes = bytes - serialiser_.body_bytes();
  // What hides a value may be longer than it.
  const std::size_t response_head = response_head_bytes_ * (rule.rules.needs_redactor ? 2 : 1);
  const std::size_t reserve = head_bytes + response_head + rule.overhead;
  if (lane_.reserve(reserve).has_value()) {
    IntentTicket ticket(lane_, reserve, exchange.id);
    const Result<std::span<char>> room = lane_.begin(FrameKind::intent, bytes);
    if (room.has_value()) {
      serialiser_.write(room->data());
      lane_.commit();
      lane_.intent_opened(exchange.id);
      counters_.intents.add(1);
      counters_.bytes.add(bytes);
      return ticket;
    }
  }
  const WhenFull policy = when_full(exchange, rule);
  if (policy != WhenFull::drop) return no_room(policy, "recording the intent of an exchange");
  counters_.dropped_intents.add(1);
  return IntentTicket{};
}

Recorder::Subject Recorder::redact(const ExchangeView& exchange, const Ruling& rule) {
  if (!rule.rules.needs_redactor) return {exchange, nullptr};
  const Redacted& redacted = redactor_.redact(exchange, rule.rules);
  return {redacted.view, &redacted};
}

std::size_t Recorder::measure(const Subject& subject, const Ruling& rule, const BodyCut& cut) {
  const HeaderRules& headers = rule.rules.headers;
  return subject.redacted == nullptr
             ? serialiser_.measure(subject.view, headers, rule.account, cut)
             : serialiser_.measure(*subject.redacted, headers, rule.account, cut);
}

std::size_t Recorder::measure_to_fit(const Subject& subject, const Ruling& rule) {
  const std::size_t whole = measure(subject, rule, {});
  const std::size_t most = lane_.max_payload();
  if (whole <= most) return whole;
  const std::size_t without = whole - serialiser_.body_bytes() + kCutSlack;
  if (without > most) return whole;  // there is no room for it anywhere
  counters_.cut_bodies.add(1);
  return measure(subject, rule,
                 fit(captured(subject.view.request.body), captured(subject.view.response.body),
                     most - without));
}

Result<Recorded> Recorder::append(const ExchangeView& exchange, RouteIndex route,
                                  IntentTicket& ticket) {
  const Ruling& rule = ruling(route);
  if (!rule.settings.enabled) return Recorded::unwanted;
  if (exchange.kind != Kind::primary && scarce()) {
    counters_.dropped_exchanges.add(1);
    return Recorded::dropped;
  }

  const Subject subject = redact(exchange, rule);
  const std::size_t bytes = measure_to_fit(subject, rule);
  const Result<std::span<char>> room = lane_.begin(FrameKind::exchange, bytes);
  if (room.has_value()) {
    serialiser_.write(room->data());
    written(bytes, ticket);
    return Recorded::whole;
  }
  if (ticket && append_without_bodies(subject, rule, ticket)) return Recorded::without_bodies;
  // Refused already, maybe for the same reason: not again.
  if (exchange.outcome == Outcome::refused) {
    counters_.dropped_refusals.add(1);
    return Recorded::dropped;
  }
  const WhenFull policy = when_full(exchange, rule);
  if (policy != WhenFull::drop) return no_room(policy, "recording an exchange");
  counters_.dropped_exchanges.add(1);
  return Recorded::dropped;
}

bool Recorder::append_without_bodies(const Subject& subject, const Ruling& rule,
                                     IntentTicket& ticket) {
  static constexpr BodyCut kSkip{.request_bytes = 0,
                                 .response_bytes = 0,
                                 .capture = Capture::skipped,
                                 .reason = "journal"};
  const std::size_t bytes = measure(subject, rule, kSkip);
  const Result<std::span<char>> room =
      lane_.begin(FrameKind::exchange, bytes, Room::reserved);
  if (!room.has_value()) return false;
  serialiser_.write(room->data());
  written(bytes, ticket);
  counters_.without_bodies.add(1);
  return true;
}

void Recorder::written(std::size_t bytes, IntentTicket& ticket) {
  lane_.commit();
  counters_.exchanges.add(1);
  counters_.bytes.add(bytes);
  counters_.redacted.add(serialiser_.redacted());
  if (!ticket) return;
  lane_.intent_closed(ticket.id_);
  ticket.give_back();
}

bool Recorder::scarce() const noexcept {
  return lane_.scarce();
}

void Recorder::finish(const FinishView& finish) {
  const std::size_t bytes = serialiser_.measure(finish);
  const Result<std::span<char>> room = lane_.begin(FrameKind::finish, bytes);
  if (!room.has_value()) return counters_.dropped_finishes.add(1);
  serialiser_.write(finish, room->data());
  lane_.commit();
  counters_.finishes.add(1);
  counters_.bytes.add(bytes);
}

ExchangeView Recorder::shown(const ExchangeView& exchange, RouteIndex route) {
  const Ruling& rule = ruling(route);
  ExchangeView bare = exchange;
  for (BodyView* const body : {&bare.request.body, &bare.response.body}) {
    body->blocks = {};
    body->capture = Capture::skipped;
  }
  const Subject subject = redact(bare, rule);
  ExchangeView view = subject.view;
  const HeaderRules& headers = rule.rules.headers;
  shown_fields_.clear();
  for (const Field& field : view.request.head.fields) {
    const int found = headers.match(field.name);
    if (found == HeaderRules::kNoRule) {
      shown_fields_.push_back(field);
      continue;
    }
    const RedactionMode mode = headers.rules()[static_cast<std::size_t>(found)].mode;
    const bool replaced = mode == RedactionMode::hash || mode == RedactionMode::encrypt;
    if (replaced && subject.redacted != nullptr)
      shown_fields_.push_back(field);
    else if (mode != RedactionMode::drop)
      shown_fields_.push_back({field.name, kMask});
  }
  view.request.head.fields = shown_fields_;
  if (headers.match("host") != HeaderRules::kNoRule) view.request.head.authority = kMask;
  return view;
}

Result<void> Recorder::flush() { return lane_.flush(); }

}  // namespace segue::recorder
