#include "cli/compare/exchange_feed.hpp"

#include "cli/progress.hpp"
#include "exchange/error.hpp"
#include "exchange/id.hpp"

namespace segue::cli {
namespace {

// When a primary was made, by its id: Unix microseconds, to the millisecond.
std::int64_t made_at(std::string_view raw_id) {
  const auto id = ExchangeId::from_bytes(raw_id);
  return id ? id->unix_millis() * 1000 : 0;
}

}  // namespace

std::vector<Source> with_shadow_topic(const Source& source,
                                      const std::optional<std::string>& named) {
  std::vector<Source> sources{source};
  if (!source.kafka) {
    if (named) throw StartupError("--shadow-topic goes with a source that is a topic");
    return sources;
  }
  const kafka::Settings& settings = source.kafka->settings;
  const bool configured = source.kafka->topic == settings.topic && !settings.shadow_topic.empty();
  const std::string topic = named ? *named : configured ? settings.shadow_topic : std::string{};
  if (topic.empty() || topic == source.kafka->topic) return sources;
  sources.push_back(source);
  sources.back().kafka->topic = topic;
  return sources;
}

ExchangeFeed::ExchangeFeed(const std::vector<Source>& sources, const ReadRange& range,
                           const Filters& filters)
    : filters_(filters) {
  parts_.reserve(sources.size());
  for (const Source& source : sources) parts_.push_back({ExchangeReader(source, range)});
}

v1::Exchange* ExchangeFeed::next_of_all() {
  if (given_ != nullptr) given_->head = nullptr;
  given_ = nullptr;
  for (Part& part : parts_) {
    if (part.head == nullptr) part.head = part.reader.next();
    if (part.head == nullptr) continue;
    if (given_ == nullptr || part.head->created_at() < given_->head->created_at()) given_ = &part;
  }
  return given_ == nullptr ? nullptr : given_->head;
}

v1::Exchange* ExchangeFeed::next() {
  while (v1::Exchange* const exchange = next_of_all())
    if (wanted(*exchange)) return exchange;
  return nullptr;
}

bool ExchangeFeed::wanted(const v1::Exchange& exchange) {
  switch (exchange.kind()) {
    case v1::KIND_PRIMARY:
      if (filters_.matches(exchange)) return true;
      if (exchange.decision().shadow() == "sent") left_out_.seen_before(exchange.id());
      return false;
    case v1::KIND_SHADOW:
    case v1::KIND_CONTROL:
      return made_at(exchange.parent_id()) >= filters_.since() / 1000 * 1000 &&
             !left_out_.contains(exchange.parent_id());
    default:
      return false;
  }
}

void ExchangeFeed::show(Progress& progress) const {
  // Topics are of one size or nearly so where there are two: the first one tells enough.
  parts_.front().reader.show(progress);
}

void ExchangeFeed::tell_damage() {
  for (Part& part : parts_) part.reader.tell_damage();
}

}  // namespace segue::cli
