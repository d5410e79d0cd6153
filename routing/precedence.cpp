#include "routing/precedence.hpp"

#include <algorithm>
#include <compare>

namespace segue::routing {
namespace {

std::strong_ordering compare_hosts(const HostPattern& a, const HostPattern& b) noexcept {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  return b.labels() <=> a.labels();
}

const Condition* find_name(const std::vector<Condition>& conditions, std::uint32_t name) noexcept {
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const auto& condition) { return condition.name == name; });
  return found == conditions.end() ? nullptr : &*found;
}

bool includes(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::all_of(b.begin(), b.end(), [&](const Condition& wanted) {
    const Condition* own = find_name(a, wanted.name);
    return own != nullptr && implies(*own, wanted);
  });
}

bool exclude(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Condition& own) {
    const Condition* other = find_name(b, own.name);
    return other != nullptr && excludes(own, *other);
  });
}

bool hosts_overlap(const HostPattern& a, const HostPattern& b) {
  if (a.kind == HostKind::any || b.kind == HostKind::any) return true;
  if (a.kind == HostKind::exact) return b.matches(a.name);
  if (b.kind == HostKind::exact) return a.matches(b.name);
  return a.name == b.name || a.matches(b.name) || b.matches(a.name);
}

bool segments_overlap(const PatternSegment& a, const PatternSegment& b) {
  if (a.kind == SegmentKind::literal) return b.matches(a.text);
  if (b.kind == SegmentKind::literal) return a.matches(b.text);
  if (a.kind == SegmentKind::regex && b.kind == SegmentKind::regex)
    return a.text == b.text || !proven_disjoint(*a.regex, *b.regex);
  return true;
}

// The text of a pattern that matches one path only.
std::optional<std::string> only_path(const PathPattern& pattern) {
  if (pattern.ending != Ending::ends) return std::nullopt;
  std::string path;
  for (const auto& segment : pattern.segments) {
    if (segment.kind != SegmentKind::literal) return std::nullopt;
    path += '/' + segment.text;
  }
  return path;
}

bool whole_allows(const PathPattern& with_regex, const PathPattern& other) {
  if (with_regex.whole == nullptr) return true;
  if (other.whole != nullptr)
    return with_regex.whole == other.whole || !proven_disjoint(*with_regex.whole, *other.whole);
  const auto path = only_path(other);
  return !path || matches_whole(*with_regex.whole, *path);
}

// Whether what `shorter` takes as its rest can be what `longer` still asks for.
bool ending_allows(const PathPattern& shorter, const PathPattern& longer) {
  const std::size_t left = longer.segments.size() - shorter.segments.size();
  if (shorter.ending == Ending::ends)
    return left == 0 && (longer.ending == Ending::ends || longer.rest_least == 0);
  return longer.ending != Ending::ends || left >= shorter.rest_least;
}

bool paths_overlap(const PathPattern& a, const PathPattern& b) {
  const auto& shorter = a.segments.size() <= b.segments.size() ? a : b;
  const auto& longer = &shorter == &a ? b : a;
  for (std::size_t i = 0; i < shorter.segments.size(); ++i) {
    if (!segments_overlap(a.segments[i], b.segments[i])) return false;
  }
  // Of equal length, each of the two may be the one that goes on.
  const bool endings = ending_allows(shorter, longer) &&
                       (a.segments.size() != b.segments.size() || ending_allows(longer, shorter));
  return endings && whole_allows(a, b) && whole_allows(b, a);
}

bool segment_covers(const PatternSegment& a, const PatternSegment& b) {
  if (a.kind == SegmentKind::parameter) return b.kind != SegmentKind::literal || !b.text.empty();
  if (b.kind == SegmentKind::literal) return a.matches(b.text);
  return a.kind == SegmentKind::regex &&
         (matches_every_segment(*a.regex) || (b.kind == a.kind && a.text == b.text));
}

bool path_covers(const PathPattern& a, const PathPattern& b) {
  if (a.segments.size() > b.segments.size()) return false;
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    if (!segment_covers(a.segments[i], b.segments[i])) return false;
  }
  const std::size_t left = b.segments.size() - a.segments.size();
  if (a.ending == Ending::ends) return left == 0 && b.ending == Ending::ends;
  if (a.rest_least > left + (b.ending == Ending::ends ? 0 : b.rest_least)) return false;
  if (a.whole == nullptr || a.whole == b.whole || matches_every_path(*a.whole)) return true;
  const auto path = only_path(b);
  return path && matches_whole(*a.whole, *path);
}

bool host_covers(const HostPattern& a, const HostPattern& b) {
  if (a.kind == HostKind::any) return true;
  if (b.kind == HostKind::any) return false;
  if (b.kind == HostKind::exact) return a.matches(b.name);
  return a.kind == HostKind::wildcard && (a.name == b.name || a.matches(b.name));
}

bool names_before(const CompiledRoute& a, const CompiledRoute& b) {
  return std::find(a.rule.before.begin(), a.rule.before.end(), b.rule.name) != a.rule.before.end();
}

}  // namespace

bool includes_conditions(const CompiledRoute& a, const CompiledRoute& b) {
  return includes_conditions(a, a.methods, b);
}

bool includes_conditions(const CompiledRoute& a, std::uint64_t methods, const CompiledRoute& b) {
  return (methods & ~b.methods) == 0 &&
         (b.rule.match.scheme.empty() || a.rule.match.scheme == b.rule.match.scheme) &&
         includes(a.headers, b.headers) && includes(a.query, b.query);
}

Preference prefer_unaided(const Candidate& a, const Candidate& b) {
  if (const auto host = compare_hosts(a.route->host, b.route->host); host != 0)
    return {DecidedBy::host, host < 0};
  if (const int path = a.pattern->rank().compare(b.pattern->rank()); path != 0)
    return {DecidedBy::path, path < 0};
  const bool first = includes_conditions(*a.route, *b.route);
  const bool second = includes_conditions(*b.route, *a.route);
  if (first != second) return {DecidedBy::narrower, first};
  return {};
}

Preference prefer(const Candidate& a, const Candidate& b) {
  const auto unaided = prefer_unaided(a, b);
  if (unaided.by != DecidedBy::nothing) return unaided;
  if (names_before(*a.route, *b.route)) return {DecidedBy::before, true};
  if (names_before(*b.route, *a.route)) return {DecidedBy::before, false};
  return {};
}

bool may_overlap(const Candidate& a, const Candidate& b) {
  const auto& schemes = a.route->rule.match.scheme;
  const auto& other_schemes = b.route->rule.match.scheme;
  if (!schemes.empty() && !other_schemes.empty() && schemes != other_schemes) return false;
  return (a.route->methods & b.route->methods) != 0 &&
         hosts_overlap(a.route->host, b.route->host) && paths_overlap(*a.pattern, *b.pattern) &&
         !exclude(a.route->headers, b.route->headers) && !exclude(a.route->query, b.route->query);
}

bool covers(const Candidate& a, const Candidate& b) {
  return host_covers(a.route->host, b.route->host) && path_covers(*a.pattern, *b.pattern);
}

}  // namespace segue::routing
