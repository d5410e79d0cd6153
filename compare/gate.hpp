#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compare/report.hpp"

namespace segue::compare {

// A condition that decides the exit code: `match>=99.9%`, `p50<=1.2x`, `p95<=...`, `p99<=1.2x` (of
// the shadow's latency, as a multiple of the primary's), `findings<=0`, `incomparable<=0.1%` (of
// pairs, those without credentials apart), `pairs>=1000` (that could be compared). Must hold for
// each route by itself.
class Gate {
 public:
  struct Parsed;
  static Parsed parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }

  // One line for each route where it does not hold: "search-read: match 98.2 % (4,910 of 5,000),
  // wanted at least 99.9 %". A route without a pair, or with fewer than its
  // min_pairs that could be compared, fails, and says so; so does a report without any route:
  // nothing was compared.
  std::vector<std::string> failures(const Report& report) const;

 private:
  enum class Measure : std::uint8_t { match, findings, incomparable, pairs, p50, p95, p99 };
  struct Form;
  static std::span<const Form> forms() noexcept;
  Gate() = default;
  std::string failure_of(const RouteReport& route) const;    // empty: it holds
  std::string shortfall_of(const RouteReport& route) const;  // of one with enough pairs
  std::string slower(std::string_view name, const Latency& primary, const Latency& shadow,
                     std::int64_t Latency::* percentile) const;

  std::string text_;
  Measure measure_ = Measure::match;
  double bound_ = 0;  // percent, times, or a count
};

struct Gate::Parsed {
  std::optional<Gate> gate;  // none: there is a problem
  std::string problem;       // why it is none, and what to write
};

}  // namespace segue::compare
