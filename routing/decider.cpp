#include "routing/decider.hpp"

#include <array>

#include "routing/key_source.hpp"

namespace segue::routing {
namespace {

using Verdict = Decision::Verdict;

// All the ways in which servers may read a path with these quirks, but kRouted.
class OtherReadings {
 public:
  explicit OtherReadings(const PathQuirks& quirks) {
    using Dots = PathReading::Dots;
    const bool dots = quirks.plain_dots || quirks.encoded_dots || quirks.dot_suffix;
    for (const auto how : {Dots::encoded_too, Dots::plain, Dots::kept}) {
      if (how != Dots::encoded_too && !dots) continue;
      for (const bool slash : {false, true}) {
        for (const bool merge : {false, true}) {
          for (const bool suffix : {false, true}) {
            const bool possible = (!slash || quirks.encoded_slash) &&
                                  (!merge || quirks.empty_segments) &&
                                  (!suffix || quirks.dot_suffix);
            const bool routed = how == Dots::encoded_too && !slash && !merge && !suffix;
            if (possible && !routed) readings_[count_++] = {how, slash, merge, suffix};
          }
        }
      }
    }
  }
  const PathReading* begin() const noexcept { return readings_.data(); }
  const PathReading* end() const noexcept { return readings_.data() + count_; }

 private:
  std::array<PathReading, 24> readings_{};
  std::size_t count_ = 0;
};

}  // namespace

Decision Decider::run() {
  Decision decision;
  if (head_.target == "*") return decision;
  decision.verdict = Verdict::bad_target;
  target_ = split_target(head_.target);
  if (head_.target.find('#') != std::string_view::npos || has_escaped_nul(head_.target))
    return decision;
  auto& path = scratch_.path_;
  if (path.read(target_.path) != PathFault::none) return decision;
  scratch_.values_.begin(head_, target_.query, table_.header_names, table_.query_names);
  method_ = table_.method_bit(head_.method);
  scratch_.host_.clear();
  if (!table_.exact_hosts.empty() || !table_.wildcard_hosts.empty())
    append_normalised_host(scratch_.host_, head_.authority);

  const TrieEntry* entry = find(path);
  if (path.quirks().any()) {
    if (const auto verdict = judge_other_readings(entry)) {
      decision.verdict = *verdict;
      return decision;
    }
  }
  decision.verdict = Verdict::no_route;
  if (entry != nullptr) fill(decision, *entry);
  return decision;
}

// A route of a better host rank wins whatever the paths are, so hosts are tried in their order.
const TrieEntry* Decider::find(const RequestPath& path) {
  if (!scratch_.host_.empty()) {
    if (const auto* entry = find_by_host(path)) return entry;
  }
  return table_.any_host ? find_in(*table_.any_host, path) : nullptr;
}

const TrieEntry* Decider::find_by_host(const RequestPath& path) {
  const std::string_view host = scratch_.host_;
  if (const auto exact = table_.exact_hosts.find(host); exact != table_.exact_hosts.end()) {
    if (const auto* entry = find_in(exact->second, path)) return entry;
  }
  if (table_.wildcard_hosts.empty()) return nullptr;
  for (auto dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
    const auto wildcard = table_.wildcard_hosts.find(host.substr(dot + 1));
    if (wildcard == table_.wildcard_hosts.end()) continue;
    if (const auto* entry = find_in(wildcard->second, path)) return entry;
  }
  return nullptr;
}

const TrieEntry* Decider::find_in(std::uint32_t trie, const RequestPath& path) {
  return table_.tries[trie].find(path,
                                 [this](const TrieEntry& entry) { return accepts(entry); });
}

bool Decider::accepts(const TrieEntry& entry) {
  if ((entry.methods & method_) == 0) return false;
  if (!entry.has_conditions) return true;
  const CompiledRoute& route = *entry.route;
  const auto& scheme = route.rule.match.scheme;
  if (!scheme.empty() && scheme != head_.scheme) return false;
  for (const auto& condition : route.headers) {
    if (!condition.holds(scratch_.values_.header(condition.name))) return false;
  }
  for (const auto& condition : route.query) {
    if (!condition.holds(scratch_.values_.query(condition.name))) return false;
  }
  return true;
}

// The raw bytes go upstream, so a backend may read them as any server does. It must not thereby
// see a request that was routed as another one.
std::optional<Verdict> Decider::judge_other_readings(const TrieEntry* routed) {
  if (routed != nullptr && routed->route->rewrite.form() != RewriteForm::none)
    return Verdict::path_confusion;
  bool confused = false;
  for (const auto& reading : OtherReadings(scratch_.path_.quirks())) {
    if (scratch_.other_reading_.read_as(target_.path, reading) != PathFault::none)
      return Verdict::bad_target;
    const TrieEntry* other = find(scratch_.other_reading_);
    confused = confused || (other == nullptr) != (routed == nullptr) ||
               (other != nullptr && other->route != routed->route);
  }
  return confused ? std::optional(Verdict::path_confusion) : std::nullopt;
}

void Decider::fill(Decision& decision, const TrieEntry& entry) {
  const CompiledRoute& route = *entry.route;
  const PathPattern& pattern = route.patterns[entry.pattern];
  decision.verdict = Verdict::routed;
  decision.route = &table_.public_routes[route.route.index];
  scratch_.parameters_.clear();
  if (entry.has_parameters) fill_parameters(pattern);
  decision.parameters = scratch_.parameters_;
  decision.action = route.action;
  choose_backend(decision, route);
  const bool is_other = route.fallback != static_cast<std::int32_t>(decision.backend);
  decision.fallback = is_other ? route.fallback : -1;
  if (route.shadows) {
    const ShadowChoice copy = choose_shadow(route, head_.method, decision.backend);
    decision.shadow = copy.shadow;
    decision.shadow_backend = copy.backend;
  }
  decision.upstream_target = head_.target;
  if (route.rewrite.form() != RewriteForm::none) {
    decision.upstream_target = route.rewrite.apply(pattern, target_.path, target_.with_query,
                                                   scratch_.upstream_target_);
  }
  if (!route.has_account) return;
  const KeyInput input{head_, target_.query, scratch_.parameters_, peer_.address};
  decision.account_id =
      read_key(route.rule.account, input, scratch_.account_id_).value_or(std::string_view{});
}

void Decider::fill_parameters(const PathPattern& pattern) {
  auto& parameters = scratch_.parameters_;
  const auto segments = scratch_.path_.segments();
  for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
    if (pattern.segments[i].kind != SegmentKind::literal)
      parameters.push_back({pattern.segments[i].parameter, segments[i].text});
  }
  if (!pattern.rest_parameter.empty())
    parameters.push_back({pattern.rest_parameter, scratch_.path_.rest(pattern.segments.size())});
}

void Decider::choose_backend(Decision& decision, const CompiledRoute& route) {
  decision.backend = route.backend;
  if (!route.splits) return;
  const auto& split = *route.rule.split;
  const KeyInput input{head_, target_.query, scratch_.parameters_, peer_.address};
  const auto key = read_key(split.key, input, scratch_.sticky_key_);
  bool takes_new = split.missing_to_new;
  if (key) {
    decision.bucket = static_cast<std::int32_t>(bucket_of(route.salt, *key));
    takes_new = decision.bucket < split.new_share;
  }
  decision.backend = takes_new ? route.new_arm : route.legacy_arm;
}

}  // namespace segue::routing
