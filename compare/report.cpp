#include "compare/report.hpp"

#include <algorithm>
#include <cmath>

namespace segue::compare {
namespace {

constexpr double kZ = 1.959963984540054;  // of 95 %

// Wilson's score interval: centre and half of its width.
struct Wilson {
  double centre;
  double half;
};

Wilson wilson(double share, double of) noexcept {
  const double z2 = kZ * kZ;
  const double scale = 1 / (1 + z2 / of);
  return {scale * (share + z2 / (2 * of)),
          scale * kZ * std::sqrt(share * (1 - share) / of + z2 / (4 * of * of))};
}

}  // namespace

double Share::value() const noexcept {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

double Share::low() const noexcept {
  if (of == 0 || count == 0) return 0;
  const Wilson interval = wilson(value(), static_cast<double>(of));
  return std::max(0.0, interval.centre - interval.half);
}

double Share::high() const noexcept {
  if (of == 0 || count == of) return 1;
  const Wilson interval = wilson(value(), static_cast<double>(of));
  return std::min(1.0, interval.centre + interval.half);
}

std::string_view name_of(Judgement judgement) noexcept {
  switch (judgement) {
    case Judgement::finding:
      return "finding";
    case Judgement::noise:
      return "noise";
    case Judgement::uncertain:
      break;
  }
  return "uncertain";
}

std::uint64_t RouteReport::findings() const noexcept {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      fields, [](const FieldReport& field) { return field.judgement == Judgement::finding; }));
}

Share RouteReport::not_compared() const noexcept {
  Share share{.count = 0, .of = pairs - credentials};
  for (const auto& [reason, count] : incomparable) share.count += count;
  return share;
}

std::uint64_t Report::pairs() const noexcept {
  std::uint64_t sum = 0;
  for (const RouteReport& route : routes) sum += route.pairs;
  return sum;
}

std::uint64_t Report::findings() const noexcept {
  std::uint64_t sum = 0;
  for (const RouteReport& route : routes) sum += route.findings();
  return sum;
}

}  // namespace segue::compare
