#include "compare/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace segue::compare {
namespace {

constexpr std::string_view kExamples =
    "write match>=99.9%, p99<=1.2x, findings<=0, incomparable<=0.1% or pairs>=1000";

// A tolerance of binary fractions: 99.9 % of 1,000 pairs is 999 of them.
constexpr double kRounding = 1e-9;

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// What stands on both sides of the first of `>=` and `<=`.
struct Parts {
  std::string_view measure;
  std::string_view relation;
  std::string_view bound;
};

std::optional<Parts> split(std::string_view text) noexcept {
  const std::size_t at = text.find_first_of("<>=");
  if (at == std::string_view::npos || at + 1 >= text.size() || text[at] == '=' ||
      text[at + 1] != '=')
    return std::nullopt;
  return Parts{trimmed(text.substr(0, at)), text.substr(at, 2), trimmed(text.substr(at + 2))};
}

// A plain decimal number, nothing before or after it.
std::optional<double> number_in(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) ||
      value < 0)
    return std::nullopt;
  return value;
}

// Rounded down, so that what falls short never reads as if it did not.
double shown(double value) noexcept {
  return std::floor(value * 1000) / 1000;
}

// Rounded up, so that what is too much never reads as if it were not.
double shown_above(double value) noexcept {
  return std::ceil(value * 1000 - kRounding) / 1000;
}

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace

// How each measure is written.
struct Gate::Form {
  std::string_view name;
  Measure measure;
  std::string_view relation;
  std::string_view unit;  // behind the number
  std::string_view example;
};

std::span<const Gate::Form> Gate::forms() noexcept {
  static constexpr Form kForms[] = {
      {"match", Measure::match, ">=", "%", "match>=99.9%"},
      {"findings", Measure::findings, "<=", "", "findings<=0"},
      {"incomparable", Measure::incomparable, "<=", "%", "incomparable<=0.1%"},
      {"pairs", Measure::pairs, ">=", "", "pairs>=1000"},
      {"p50", Measure::p50, "<=", "x", "p50<=1.2x"},
      {"p95", Measure::p95, "<=", "x", "p95<=1.2x"},
      {"p99", Measure::p99, "<=", "x", "p99<=1.2x"},
  };
  return kForms;
}

Gate::Parsed Gate::parse(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return Parsed{std::nullopt, fmt::format("gate '{}': {}", text, why)};
  };
  const auto parts = split(text);
  if (!parts) return refuse(fmt::format("no comparison in it: {}", kExamples));
  const auto form = std::ranges::find(forms(), parts->measure, &Form::name);
  if (form == forms().end())
    return refuse(fmt::format("there is no '{}': {}", parts->measure, kExamples));
  if (parts->relation != form->relation)
    return refuse(
        fmt::format("{} has a bound on the other side: write {}", form->name, form->example));
  std::string_view digits = parts->bound;
  if (!digits.ends_with(form->unit))
    return refuse(
        fmt::format("'{}' is not followed by '{}': write {}", digits, form->unit, form->example));
  digits.remove_suffix(form->unit.size());
  const auto bound = number_in(trimmed(digits));
  if (!bound)
    return refuse(fmt::format("'{}' is no number: write {}", parts->bound, form->example));
  if (form->unit == "%" && *bound > 100)
    return refuse(fmt::format("more than all is never reached: write {}", form->example));
  if (form->unit.empty() && *bound != std::floor(*bound))
    return refuse(fmt::format("'{}' is no whole number: write {}", parts->bound, form->example));
  Gate gate;
  gate.text_ = text;
  gate.measure_ = form->measure;
  gate.bound_ = *bound;
  return {std::move(gate), {}};
}

std::vector<std::string> Gate::failures(const Report& report) const {
  if (report.routes.empty()) return {fmt::format("nothing was compared, wanted {}", text_)};
  std::vector<std::string> failures;
  for (const RouteReport& route : report.routes) {
    const std::string why = failure_of(route);
    if (!why.empty()) failures.push_back(fmt::format("{}: {}", route.route, why));
  }
  return failures;
}

std::string Gate::failure_of(const RouteReport& route) const {
  if (route.pairs == 0) return "no pairs";
  if (!route.enough)
    return fmt::format("{} pairs could be compared, and fewer than {} decide nothing",
                       grouped(route.match.of), grouped(route.min_pairs));
  return shortfall_of(route);
}

std::string Gate::shortfall_of(const RouteReport& route) const {
  switch (measure_) {
    case Measure::match: {
      const double percent = 100 * route.match.value();
      if (percent + kRounding >= bound_) return {};
      return fmt::format("match {} % ({} of {}), wanted at least {} %", shown(percent),
                         grouped(route.match.count), grouped(route.match.of), bound_);
    }
    case Measure::findings:
      if (static_cast<double>(route.findings()) <= bound_) return {};
      return fmt::format("{} findings, wanted at most {}", grouped(route.findings()), bound_);
    case Measure::pairs:
      if (static_cast<double>(route.match.of) >= bound_) return {};
      return fmt::format("{} pairs could be compared, wanted at least {}", grouped(route.match.of),
                         bound_);
    case Measure::incomparable: {
      const Share share = route.not_compared();
      const double percent = 100 * share.value();
      if (percent <= bound_ + kRounding) return {};
      return fmt::format("{} % of pairs could not be compared ({} of {}), wanted at most {} %",
                         shown_above(percent), grouped(share.count), grouped(share.of), bound_);
    }
    case Measure::p50:
      return slower("p50", route.primary, route.shadow, &Latency::p50);
    case Measure::p95:
      return slower("p95", route.primary, route.shadow, &Latency::p95);
    case Measure::p99:
      break;
  }
  return slower("p99", route.primary, route.shadow, &Latency::p99);
}

// Below a microsecond there is nothing to divide by.
std::string Gate::slower(std::string_view name, const Latency& primary, const Latency& shadow,
                         std::int64_t Latency::* percentile) const {
  if (primary.count == 0) return fmt::format("no pair has timings of both sides, wanted {}", text_);
  const auto left = static_cast<double>(std::max<std::int64_t>(primary.*percentile, 1));
  const double times = static_cast<double>(shadow.*percentile) / left;
  if (times <= bound_ + kRounding) return {};
  return fmt::format("{} {:.2f}x ({} ms, the primary's is {} ms), wanted at most {}x", name,
                     std::ceil(times * 100) / 100, static_cast<double>(shadow.*percentile) / 1000,
                     static_cast<double>(primary.*percentile) / 1000, bound_);
}

}  // namespace segue::compare
