#include "warehouse/archive/archived_listing.hpp"

#include <algorithm>
#include <charconv>

namespace segue::warehouse {
namespace {

// A listing that changes under the look is taken again, at most so often.
constexpr int kMostLooks = 5;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Whether `topic` is `name` or one of its later epochs, "name@2".
bool is_epoch_of(std::string_view topic, std::string_view name) {
  return topic == name || (topic.starts_with(name) && topic.substr(name.size()).starts_with('@') &&
                           number(topic.substr(name.size() + 1)).has_value());
}

std::uint64_t epoch_of(std::string_view topic) {
  const std::size_t at = topic.rfind('@');
  return at == std::string_view::npos ? 1 : number(topic.substr(at + 1)).value_or(1);
}

}  // namespace

ArchivedListing::ArchivedListing(const Archive& archive) : archive_(archive) {
  list();
  // A file may have come to lie under a day that the look had passed, and its successor under one
  // that it had not: then there is a hole, as there is where records were lost or compacted.
  auto before = holes(ranges_);
  for (int looks = 1; !before.empty() && looks < kMostLooks; ++looks) {
    list();
    auto after = holes(ranges_);
    if (after == before) break;
    before = std::move(after);
  }
  chains_ = archive_.chains();
}

void ArchivedListing::list() {
  for (int looks = 0; looks < kMostLooks; ++looks) {
    watermark_ = archive_.watermark();
    files_ = archive_.files();
    if (archive_.watermark() == watermark_) break;
  }
  ranges_ = ranges_of(files_);
}

ArchivedListing::Ranges ArchivedListing::ranges_of(const std::vector<StoredObject>& files) {
  Ranges ranges;
  for (const StoredObject& file : files)
    if (const auto found = parse_raw_key(file.key))
      ranges[found->chain].push_back({found->start, found->end});
  for (auto& [chain, of_chain] : ranges) std::ranges::sort(of_chain, {}, &Range::start);
  return ranges;
}

std::vector<std::pair<Chain, std::uint64_t>> ArchivedListing::holes(const Ranges& ranges) {
  std::vector<std::pair<Chain, std::uint64_t>> holes;
  for (const auto& [chain, of_chain] : ranges)
    for (std::size_t i = 1; i < of_chain.size(); ++i)
      if (of_chain[i].start != of_chain[i - 1].end + 1)
        holes.emplace_back(chain, of_chain[i].start);
  return holes;
}

std::optional<std::uint64_t> ArchivedListing::end(std::string_view topic,
                                                  std::string_view partition) const {
  const std::lock_guard lock(mutex_);
  const Chain* chain = nullptr;
  for (const Chain& one : chains_)
    if (one.partition == partition && (topic.empty() || is_epoch_of(one.topic, topic)) &&
        (chain == nullptr || epoch_of(one.topic) > epoch_of(chain->topic)))
      chain = &one;
  if (chain == nullptr) return std::nullopt;
  const auto known = ends_.find(*chain);
  return known != ends_.end() ? known->second : ends_.emplace(*chain, end_of(*chain)).first->second;
}

std::optional<std::uint64_t> ArchivedListing::end_of(const Chain& chain) const {
  const auto found = ranges_.find(chain);
  if (found != ranges_.end()) return found->second.back().end;
  const std::uint64_t checkpoint = archive_.checkpoint(chain).value_or(0);
  const auto end = end_by_claims(chain, checkpoint);
  // All from the checkpoint on was published later than the listing: so may be some before it.
  return end || checkpoint == 0 ? end : end_by_claims(chain, 0);
}

// Claims follow each other without a hole, and their days never go back.
std::optional<std::uint64_t> ArchivedListing::end_by_claims(const Chain& chain,
                                                            std::uint64_t from) const {
  std::optional<std::uint64_t> end;
  for (const ClaimState& state : archive_.claims(chain, from)) {
    if (!holds(state)) break;
    end = state.claim.end;
  }
  return end;
}

// Of a chain without a file in raw/: whether the listing has the claim's rows in compact/.
bool ArchivedListing::holds(const ClaimState& state) const {
  if (!state.done) return false;
  if (state.claim.kind == Claim::Kind::lost) return true;
  const auto day = day_of_key(state.done->path);
  return day && watermark_ && *day < *watermark_;
}

}  // namespace segue::warehouse
