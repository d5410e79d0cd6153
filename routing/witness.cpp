#include <fmt/format.h>

#include <algorithm>

#include "routing/precedence.hpp"

namespace segue::routing {
namespace {

// Escapes what cannot stand in a target as it is, so that the witness can be sent.
std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) out.push_back(c);
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

constexpr std::string_view kPathBytes = "/-._~!$&'()*+,;=:@";
constexpr std::string_view kQueryBytes = "/-._~!$'()*,;:@?";

std::string segment_for(const PatternSegment* a, const PatternSegment* b) {
  std::vector<std::string> guesses;
  for (const auto* segment : {a, b}) {
    if (segment == nullptr) continue;
    if (segment->kind == SegmentKind::literal) guesses.push_back(segment->text);
    if (segment->kind == SegmentKind::regex) {
      for (auto& sample : samples_of(*segment->regex)) guesses.push_back(std::move(sample));
    }
  }
  for (const auto& guess : guesses) {
    if (guess.find('/') != std::string::npos) continue;
    if ((a == nullptr || a->matches(guess)) && (b == nullptr || b->matches(guess))) return guess;
  }
  return "x";
}

// Paths that may match both: one built segment by segment, and samples of whole-path expressions.
std::vector<std::string> path_guesses(const PathPattern& a, const PathPattern& b) {
  const auto count = std::max(a.segments.size() + a.rest_least, b.segments.size() + b.rest_least);
  std::string built;
  const auto at = [](const PathPattern& pattern, std::size_t i) {
    return i < pattern.segments.size() ? &pattern.segments[i] : nullptr;
  };
  for (std::size_t i = 0; i < count; ++i) {
    built.push_back('/');
    built.append(segment_for(at(a, i), at(b, i)));
  }
  std::vector<std::string> guesses{built.empty() ? "/" : built, fmt::format("{}/x", built)};
  for (const auto* pattern : {&a, &b}) {
    if (pattern->whole == nullptr) continue;
    for (auto& sample : samples_of(*pattern->whole)) guesses.push_back(std::move(sample));
  }
  return guesses;
}

std::optional<std::string> path_for(const PathPattern& a, const PathPattern& b) {
  RequestPath path;
  for (const auto& guess : path_guesses(a, b)) {
    auto raw = escaped(guess, kPathBytes);
    if (path.read(raw) == PathFault::none && !path.quirks().any() && a.matches(path) &&
        b.matches(path))
      return raw;
  }
  return std::nullopt;
}

// The values both lists ask for, by the index of their names; nullopt when one cannot be found.
std::optional<std::vector<std::pair<std::uint32_t, std::string>>> values_for(
    const std::vector<Condition>& a, const std::vector<Condition>& b) {
  std::vector<std::pair<std::uint32_t, std::string>> values;
  const auto add = [&](const Condition& own, const std::vector<Condition>& others) {
    const auto other = std::find_if(others.begin(), others.end(),
                                    [&](const auto& known) { return known.name == own.name; });
    auto value = other == others.end() ? value_for(own) : value_for(own, *other);
    if (value) values.emplace_back(own.name, *std::move(value));
    return value.has_value();
  };
  for (const auto& condition : a) {
    if (!add(condition, b)) return std::nullopt;
  }
  for (const auto& condition : b) {
    const bool done = std::any_of(values.begin(), values.end(),
                                  [&](const auto& known) { return known.first == condition.name; });
    if (!done && !add(condition, a)) return std::nullopt;
  }
  return values;
}

std::string method_for(std::uint64_t methods, const CompiledRoutes& table) {
  if (methods == kAnyMethod) return "GET";
  for (std::size_t i = 0; i < table.methods.size(); ++i) {
    if (table.methods[i] == "GET" && (methods & (std::uint64_t{1} << i)) != 0) return "GET";
  }
  for (std::size_t i = 0; i < table.methods.size(); ++i) {
    if ((methods & (std::uint64_t{1} << i)) != 0) return table.methods[i];
  }
  return "GET";
}

std::string host_for(const HostPattern& a, const HostPattern& b) {
  const auto& better = a.kind < b.kind || (a.kind == b.kind && a.labels() > b.labels()) ? a : b;
  if (better.kind == HostKind::any) return "";
  return better.kind == HostKind::exact ? better.name : fmt::format("a.{}", better.name);
}

}  // namespace

std::optional<Witness> example_for(const Candidate& a, const Candidate& b,
                                   const CompiledRoutes& table) {
  auto path = path_for(*a.pattern, *b.pattern);
  const auto headers = values_for(a.route->headers, b.route->headers);
  const auto query = values_for(a.route->query, b.route->query);
  if (!path || !headers || !query) return std::nullopt;
  Witness witness;
  witness.method = method_for(a.route->methods & b.route->methods, table);
  witness.target = *std::move(path);
  char mark = '?';
  for (const auto& [name, value] : *query) {
    witness.target += fmt::format("{}{}={}", mark, escaped(table.query_names[name], kQueryBytes),
                                  escaped(value, kQueryBytes));
    mark = '&';
  }
  for (const auto& [name, value] : *headers)
    witness.headers.emplace_back(table.header_names[name], value);
  witness.host = host_for(a.route->host, b.route->host);
  const auto& scheme = a.route->rule.match.scheme;
  witness.scheme = scheme.empty() ? b.route->rule.match.scheme : scheme;
  return witness;
}

std::optional<std::string> witness_for(const Candidate& a, const Candidate& b,
                                       const CompiledRoutes& table) {
  const auto example = example_for(a, b, table);
  if (!example) return std::nullopt;
  auto text = fmt::format("{} {}", example->method, example->target);
  std::vector<std::string> with;
  for (const auto& [name, value] : example->headers)
    with.push_back(fmt::format("{}: {}", name, value));
  if (!example->host.empty()) with.push_back(fmt::format("Host: {}", example->host));
  if (!example->scheme.empty()) with.push_back(fmt::format("over {}", example->scheme));
  if (!with.empty()) text += fmt::format(" with {}", fmt::join(with, ", "));
  return text;
}

}  // namespace segue::routing
