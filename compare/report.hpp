#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compare/difference.hpp"

namespace segue::compare {

// A share of pairs, with its 95 % Wilson score interval (E. B. Wilson, 1927). Of nothing: value 0,
// interval 0 to 1.
struct Share {
  std::uint64_t count = 0;
  std::uint64_t of = 0;

  double value() const noexcept;  // 0 to 1
  double low() const noexcept;
  double high() const noexcept;
};

// One pair that shows a difference. Ids are UUIDs in text.
struct Example {
  std::string primary{};
  std::string other{};
  std::string path{};
  std::string left{};
  std::string right{};
};

// What became of a field that differs.
enum class Judgement : std::uint8_t {
  finding,    // differs more often than the same code differs from itself
  noise,      // does not
  uncertain,  // too few pairs, or too few control pairs, to tell
};

std::string_view name_of(Judgement judgement) noexcept;

// One kind of difference of one field, counted over all pairs of a route.
struct FieldReport {
  static constexpr std::size_t kMostExamples = 3;  // drawn evenly from all pairs that show it

  Part part = Part::body;
  std::string field{};
  DifferenceKind kind = DifferenceKind::value;
  Judgement judgement = Judgement::uncertain;
  Share raw{};    // of pairs of primary and shadow
  Share noise{};  // of pairs of primary and control
  double signal() const noexcept { return raw.value() - noise.value(); }
  std::vector<Example> examples{};  // of primary and shadow; the oldest first
};

// Times from the last byte of the request to the first of the response, in microseconds, of pairs
// where both sides have them on record; within 1 % (a histogram).
struct Latency {
  std::uint64_t count = 0;
  std::int64_t p50 = 0;
  std::int64_t p95 = 0;
  std::int64_t p99 = 0;
};

struct RouteReport {
  std::string route{};
  std::uint64_t pairs = 0;     // of primary and shadow, compared; the classes below included
  std::uint64_t controls = 0;  // pairs of primary and control that could be compared
  std::uint64_t controls_not_compared = 0;  // and those that could not
  std::uint64_t same = 0;                   // no difference
  std::uint64_t noise_only = 0;             // only in fields that are noise
  std::uint64_t different = 0;              // in a field that is a finding, or uncertain
  std::uint64_t credentials = 0;
  // By reason: not all could be compared, and what could be differs in noise alone, or not at all.
  std::map<std::string, std::uint64_t> incomparable{};
  std::map<std::string, std::uint64_t> hidden{};  // fields that redaction hid, pairs of each
  std::uint64_t min_pairs = 0;
  bool enough = false;  // min_pairs is reached by those that could be compared: match.of
  // Of those that could be compared: same and noise_only.
  Share match{};
  // Pairs that are among `different` because of a bound of RouteTally: their fields, or the
  // combination of them, were too many to keep.
  std::uint64_t over_bounds = 0;
  std::vector<FieldReport> fields{};  // findings first, then uncertain, then noise; each by signal
  Latency primary{};
  Latency shadow{};

  std::uint64_t findings() const noexcept;
  // Pairs that could not be compared, of all but those that lack credentials.
  Share not_compared() const noexcept;
};

struct Report {
  std::vector<RouteReport> routes;       // by name; also those expected that no pair came of
  std::uint64_t unpaired_primaries = 0;  // that say their shadow was sent
  std::uint64_t unpaired_others = 0;
  std::map<std::string, std::uint64_t> not_shadowed;  // primaries, by the reason on record
  std::int64_t from = 0;  // Unix microseconds of the oldest and the youngest primary; 0: none
  std::int64_t until = 0;

  std::uint64_t pairs() const noexcept;
  std::uint64_t findings() const noexcept;
};

}  // namespace segue::compare
