#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compare/comparer.hpp"
#include "compare/pairing.hpp"
#include "recorder/exchange.pb.h"

namespace segue::compare::test {

// The raw id of the n-th primary, and of what came of it; ids of greater n sort after.
std::string primary_id(std::uint64_t n);
std::string other_id(std::uint64_t n, v1::Kind kind);

// What a backend answered, as it is recorded.
struct Answer {
  std::string body = "{}";
  std::uint32_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers{{"content-type", "application/json"}};
  std::int64_t microseconds = 1'000;  // from the request's last byte to the first of the answer
};

inline const std::string kRoute = "search-read";

// The n-th primary, whose shadow was sent, and what came of it.
v1::Exchange primary(std::uint64_t n, const Answer& answer = {}, std::string_view route = kRoute);
v1::Exchange shadow(std::uint64_t n, const Answer& answer = {}, std::string_view route = kRoute);
v1::Exchange control(std::uint64_t n, const Answer& answer = {}, std::string_view route = kRoute);

// A pair as Pairing gives it.
Pair pair_of(std::uint64_t n, v1::Kind kind, const Answer& left = {}, const Answer& right = {});

// A comparison that found these values different, in JSON.
Comparison different_in(const std::vector<std::string>& fields,
                        DifferenceKind kind = DifferenceKind::value);

// One without differences.
Comparison verdict_of(Verdict verdict, std::string_view reason = {});

}  // namespace segue::compare::test
