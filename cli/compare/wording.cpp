#include "cli/compare/wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cli/exchange_text.hpp"
#include "cli/figures.hpp"
#include "compare/noise_rule.hpp"

namespace segue::cli {
namespace {

using compare::DifferenceKind;
using compare::Part;
using compare::Share;

// Two decimals; away from 0 and 1 it never reads as either.
std::string hundredths(double share) {
  const double percent = std::clamp(share * 100, 0.0, 100.0);
  if (percent == 0) return "0";
  if (percent == 100) return "100";
  return fmt::format("{:.2f}", std::clamp(percent, 0.01, 99.99));
}

// "2026-11-21 09:00:00" of Unix microseconds.
std::string moment(std::int64_t unix_micros) {
  std::string text = time_text(unix_micros).substr(0, 19);
  text[10] = ' ';
  return text;
}

// Empty: there are enough of them.
std::string doubt_of_controls(const compare::RouteReport& route) {
  constexpr std::string_view kCannotTell =
      "what differs by chance cannot be told from what differs for good";
  const std::uint64_t least = std::min(compare::kMinControls, route.min_pairs);
  if (route.controls == 0 && route.controls_not_compared != 0)
    return fmt::format("None of {} could be compared: {}.",
                       number_of(route.controls_not_compared, "control pair"), kCannotTell);
  if (route.controls == 0)
    return fmt::format("No control pairs: {}. Set shadow.control_percent.", kCannotTell);
  if (route.controls < least)
    return fmt::format(
        "Too few control pairs to call anything noise: {} of at least {}. Raise "
        "shadow.control_percent.",
        grouped(route.controls), grouped(least));
  return {};
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string percent_text(const Share& share) {
  return share.of == 0 ? "-" : hundredths(share.value()) + " %";
}

std::string interval_text(const Share& share) {
  if (share.of == 0) return {};
  return fmt::format("{} to {} %", hundredths(share.low()), hundredths(share.high()));
}

std::string count_text(const Share& share) {
  return fmt::format("{} of {}", grouped(share.count), grouped(share.of));
}

std::string micros_text(std::int64_t micros) {
  const auto value = static_cast<double>(micros);
  if (micros < 1'000) return fmt::format("{} us", micros);
  if (micros < 1'000'000) return fmt::format("{:.1f} ms", value / 1e3);
  return fmt::format("{:.2f} s", value / 1e6);
}

std::string ratio_text(std::int64_t primary, std::int64_t shadow) {
  if (primary <= 0) return "-";
  return fmt::format("{:.2f}x", static_cast<double>(shadow) / static_cast<double>(primary));
}

std::string number_of(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", grouped(count), one, count == 1 ? "" : "s");
}

std::string period_text(const compare::Report& report) {
  if (report.from == 0) return {};
  return fmt::format("{} to {} UTC", moment(report.from), moment(report.until));
}

std::uint64_t controls_of(const compare::Report& report) {
  std::uint64_t sum = 0;
  for (const compare::RouteReport& route : report.routes) sum += route.controls;
  return sum;
}

std::uint64_t routes_with_findings(const compare::Report& report) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      report.routes, [](const compare::RouteReport& route) { return route.findings() != 0; }));
}

std::string field_title(Part part, std::string_view field) {
  const std::string_view name = compare::name_of(part);
  return field.empty() ? std::string(name) : fmt::format("{} {}", name, field);
}

std::string_view kind_text(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::value:
      return "other value";
    case DifferenceKind::type:
      return "other type";
    case DifferenceKind::missing:
      return "missing";
    case DifferenceKind::extra:
      return "added";
    case DifferenceKind::length:
      return "other length";
    case DifferenceKind::order:
      return "other order";
    case DifferenceKind::pattern:
      return "other pattern";
    case DifferenceKind::malformed:
      break;
  }
  return "malformed";
}

std::vector<std::string> doubts(const compare::RouteReport& route) {
  if (route.pairs == 0) return {"No pairs: nothing of this route was compared."};
  std::vector<std::string> said;
  if (!route.enough)
    said.push_back(
        fmt::format("Too few pairs that could be compared to decide anything: {} of at least {} "
                    "(min_pairs).",
                    grouped(route.match.of), grouped(route.min_pairs)));
  if (std::string about_controls = doubt_of_controls(route); !about_controls.empty())
    said.push_back(std::move(about_controls));
  if (route.match.of == 0) said.push_back("None of its pairs could be compared in full.");
  return said;
}

std::string not_shadowed_text(std::string_view reason) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kReasons{
      {{"skipped_sampling", "not drawn (shadow.percent)"},
       {"skipped_method", "a method that writes, and the route states no shadow.writes"},
       {"skipped_same_backend", "the split had chosen the shadow's backend"},
       {"skipped_in_flight", "as many as shadow.max_in_flight were under way"},
       {"skipped_body_size", "the body is longer than shadow.max_body"},
       {"skipped_incomplete", "request or answer did not come to its end"},
       {"skipped_journal", "half of the journal waited to be read, and the rest is for clients"},
       {"skipped_draining", "the gateway was about to stop"},
       {"skipped_upgrade", "asked for a WebSocket"}}};
  const auto* const found =
      std::ranges::find(kReasons, reason, &std::pair<std::string_view, std::string_view>::first);
  if (found == kReasons.end()) return std::string(reason);
  return fmt::format("{}: {}", reason, found->second);
}

Contrast contrast(std::string_view left, std::string_view right) {
  const auto [l, r] = std::ranges::mismatch(left, right);
  auto same = static_cast<std::size_t>(l - left.begin());
  // Not in the middle of a character, in either of them.
  const auto inside = [](std::string_view text, std::size_t at) {
    return at < text.size() && continues(text[at]);
  };
  while (same > 0 && (inside(left, same) || inside(right, same))) --same;
  const std::string_view left_rest = left.substr(same);
  const std::string_view right_rest = right.substr(same);
  const std::size_t most = std::min(left_rest.size(), right_rest.size());
  std::size_t tail = 0;
  while (tail < most &&
         left_rest[left_rest.size() - 1 - tail] == right_rest[right_rest.size() - 1 - tail])
    ++tail;
  while (tail > 0 && continues(left_rest[left_rest.size() - tail])) --tail;
  return {left.substr(0, same), left_rest.substr(0, left_rest.size() - tail),
          right_rest.substr(0, right_rest.size() - tail),
          left_rest.substr(left_rest.size() - tail)};
}

}  // namespace segue::cli
