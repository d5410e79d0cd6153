#include "compare/pairing.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compare/record_reading.hpp"
#include "exchange/id.hpp"

namespace segue::compare {
namespace {

constexpr std::string_view kSent = "sent";
constexpr std::size_t kExchangeOverhead = 600;  // bytes of a message and its place in the lists
constexpr std::size_t kFieldOverhead = 120;     // bytes of a header beside its text

// Primaries that may have a control to come: few have, and theirs is not long behind the shadow. What
// is kept for them is memory that is always in use.
constexpr std::size_t kAnsweredShare = 8;
constexpr std::size_t kLeastAnswered = 1'024;

PairingBounds bounds_of_answered(const PairingBounds& bounds) noexcept {
  const std::size_t share = bounds.exchanges / kAnsweredShare;
  return {std::min(bounds.exchanges, std::max(share, kLeastAnswered)),
          bounds.bytes / kAnsweredShare};
}

std::size_t held_bytes(const v1::Exchange& exchange) noexcept {
  const v1::Response& response = exchange.response();
  std::size_t bytes = kExchangeOverhead + response.body().content().size();
  for (const auto* fields : {&response.fields(), &response.trailers()})
    for (const v1::Field& field : *fields)
      bytes += kFieldOverhead + field.name().size() + field.value().size();
  return bytes;
}

struct IdHash {
  std::size_t operator()(const ExchangeId& id) const noexcept {
    return std::hash<std::string_view>{}(id.raw());
  }
};

struct Queue;

// A primary and what came of it, as far as they are there.
struct Family {
  ExchangeId id;                                  // the primary's
  Queue* queue;                                   // that it stands in
  std::shared_ptr<const v1::Exchange> primary{};  // null: not there yet
  std::vector<v1::Exchange> others{};             // that wait for it
  bool shadow = false;                            // was there
  bool control = false;
  std::size_t bytes = 0;  // of what is held

  std::size_t held() const noexcept { return others.size() + (primary ? 1 : 0); }
};

// Families in the order they came, with what they hold together.
struct Queue {
  PairingBounds bounds;
  std::list<Family> families{};
  std::size_t held = 0;
  std::size_t bytes = 0;

  bool is_over() const noexcept {
    return families.size() > 1 && (held > bounds.exchanges || bytes > bounds.bytes);
  }
  void count(const Family& family) noexcept {
    held += family.held();
    bytes += family.bytes;
  }
  void discount(const Family& family) noexcept {
    held -= family.held();
    bytes -= family.bytes;
  }
};

}  // namespace

struct Pairing::State {
  using Place = std::list<Family>::iterator;

  void add_primary(v1::Exchange&& exchange);
  void add_other(v1::Exchange&& exchange);
  Place family_of(const ExchangeId& id);
  template <class Change>
  void change(Place family, Change&& make);
  Queue& queue_of(const Family& family) noexcept;
  void make_room(Queue& queue);

  explicit State(const PairingBounds& bounds)
      : orphans{bounds}, waiting{bounds}, answered{bounds_of_answered(bounds)} {}

  // By what is missing, so that what never comes of one kind does not drive out another.
  Queue orphans;   // their primary
  Queue waiting;   // their shadow
  Queue answered;  // nothing, but a control may come
  std::unordered_map<ExchangeId, Place, IdHash> by_id;
  std::deque<Pair> ready;
  Unpaired gone;
};

Pairing::Pairing(const PairingBounds& bounds) : state_(std::make_unique<State>(bounds)) {}
Pairing::~Pairing() = default;

void Pairing::add(v1::Exchange&& exchange) {
  if (exchange.kind() == v1::KIND_PRIMARY) {
    if (exchange.decision().shadow() == kSent) state_->add_primary(std::move(exchange));
  } else if (exchange.kind() == v1::KIND_SHADOW || exchange.kind() == v1::KIND_CONTROL) {
    state_->add_other(std::move(exchange));
  }
  for (Queue* const queue : {&state_->orphans, &state_->waiting, &state_->answered})
    state_->make_room(*queue);
}

// The one that is there, or a new one that waits.
Pairing::State::Place Pairing::State::family_of(const ExchangeId& id) {
  if (const auto known = by_id.find(id); known != by_id.end()) return known->second;
  orphans.families.push_back({.id = id, .queue = &orphans});
  return by_id.emplace(id, std::prev(orphans.families.end())).first->second;
}

Queue& Pairing::State::queue_of(const Family& family) noexcept {
  if (!family.primary) return orphans;
  return family.shadow ? answered : waiting;
}

// Puts the family where it belongs then; one that is complete goes.
template <class Change>
void Pairing::State::change(Place family, Change&& make) {
  Queue& before = *family->queue;
  before.discount(*family);
  make(*family);
  if (family->primary && family->shadow && family->control) {
    by_id.erase(family->id);
    before.families.erase(family);
    return;
  }
  Queue& after = queue_of(*family);
  family->queue = &after;
  after.count(*family);
  if (&after != &before) after.families.splice(after.families.end(), before.families, family);
}

void Pairing::State::add_primary(v1::Exchange&& exchange) {
  const auto id = ExchangeId::from_bytes(exchange.id());
  if (!id) return;
  const Place place = family_of(*id);
  if (place->primary) return;
  keep_for_comparing(exchange);
  change(place, [&](Family& family) {
    family.primary = std::make_shared<const v1::Exchange>(std::move(exchange));
    for (v1::Exchange& other : family.others) ready.push_back({family.primary, std::move(other)});
    family.others.clear();
    family.bytes = held_bytes(*family.primary);
  });
}

// What is there twice was recorded once, and delivered again.
void Pairing::State::add_other(v1::Exchange&& exchange) {
  const auto id = ExchangeId::from_bytes(exchange.parent_id());
  if (!id) return;
  const Place place = family_of(*id);
  bool Family::* const there =
      exchange.kind() == v1::KIND_SHADOW ? &Family::shadow : &Family::control;
  if ((*place).*there) return;
  change(place, [&](Family& family) {
    family.*there = true;
    if (family.primary) {
      ready.push_back({family.primary, std::move(exchange)});
      return;
    }
    keep_for_comparing(exchange);
    family.bytes += held_bytes(exchange);
    family.others.push_back(std::move(exchange));
  });
}

void Pairing::State::make_room(Queue& queue) {
  while (queue.is_over()) {
    Family& oldest = queue.families.front();
    queue.discount(oldest);
    if (&queue == &waiting) ++gone.primaries;
    gone.others += oldest.others.size();
    by_id.erase(oldest.id);
    queue.families.pop_front();
  }
}

std::optional<Pair> Pairing::next() {
  if (state_->ready.empty()) return std::nullopt;
  std::optional<Pair> pair(std::move(state_->ready.front()));
  state_->ready.pop_front();
  return pair;
}

std::uint64_t Pairing::given_up() const noexcept {
  return state_->gone.primaries + state_->gone.others;
}

std::size_t Pairing::waiting() const noexcept {
  return state_->waiting.held + state_->orphans.held;
}

Pairing::Unpaired Pairing::unpaired() const noexcept {
  return {state_->gone.primaries + state_->waiting.held,
          state_->gone.others + state_->orphans.held};
}

}  // namespace segue::compare
