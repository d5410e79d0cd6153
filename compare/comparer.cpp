#include "compare/comparer.hpp"

#include <string>
#include <utility>

#include "compare/body_differ.hpp"
#include "compare/difference_list.hpp"
#include "compare/header_differ.hpp"
#include "compare/path_rules.hpp"
#include "recorder/exchange.pb.h"

namespace segue::compare {
namespace {

constexpr std::uint32_t kUnauthorized = 401;
constexpr std::uint32_t kForbidden = 403;

// Whether a backend answered; what the gateway says in its place does not count.
bool has_response(const v1::Exchange& exchange) {
  switch (exchange.outcome()) {
    case v1::OUTCOME_REFUSED:
    case v1::OUTCOME_UPSTREAM_CONNECT_FAILED:
      return false;
    default:
      return exchange.response().status() != 0;
  }
}

// Why the backend gave no response at all; empty: it did, or it was not the backend's doing.
std::string_view failure_of(const v1::Exchange& exchange) {
  if (exchange.outcome() == v1::OUTCOME_UPSTREAM_CONNECT_FAILED) return "no connection";
  if (exchange.response().status() != 0) return {};
  if (exchange.outcome() == v1::OUTCOME_UPSTREAM_TIMEOUT) return "timeout";
  if (exchange.outcome() == v1::OUTCOME_UPSTREAM_RESET) return "reset";
  return {};
}

bool refuses_credentials(std::uint32_t status) {
  return status == kUnauthorized || status == kForbidden;
}

// 2xx, 3xx, 4xx, 5xx: bodies of different classes are different things.
bool same_class(std::uint32_t a, std::uint32_t b) {
  return a / 100 == b / 100;
}

}  // namespace

std::string_view name_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::same:
      return "same";
    case Verdict::different:
      return "different";
    case Verdict::incomparable:
      return "incomparable";
    case Verdict::credentials:
      break;
  }
  return "credentials";
}

struct Comparer::State {
  State(const RouteRules& rules, std::stop_token stop_token)
      : stop(std::move(stop_token)), headers(rules), bodies(paths, stop), list(comparison) {}

  std::stop_token stop;
  PathRules paths;
  HeaderDiffer headers;
  BodyDiffer bodies;
  Comparison comparison;
  DifferenceList list;
};

Comparer::Comparer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Comparer::~Comparer() = default;

Comparer::Made Comparer::make(const RouteRules& rules, std::stop_token stop) {
  auto state = std::make_unique<State>(rules, std::move(stop));
  std::string problem = state->paths.compile(rules);
  if (!problem.empty()) return {nullptr, std::move(problem)};
  return {std::unique_ptr<Comparer>(new Comparer(std::move(state))), {}};
}

const Comparison& Comparer::compare(const v1::Exchange& left, const v1::Exchange& right) {
  Comparison& comparison = state_->comparison;
  DifferenceList& list = state_->list;
  list.clear();
  const std::string_view failure = failure_of(right);
  if (left.outcome() == v1::OUTCOME_COMPLETED && has_response(left) && !failure.empty()) {
    comparison.verdict = Verdict::different;
    list.add(Part::status, "", "", DifferenceKind::missing,
             std::to_string(left.response().status()), failure);
    return comparison;
  }
  if (!has_response(left) || !has_response(right)) {
    comparison.verdict = Verdict::incomparable;
    comparison.reason = "no response";
    return comparison;
  }
  const std::uint32_t l = left.response().status();
  const std::uint32_t r = right.response().status();
  if (l != r) {
    list.add(Part::status, "", "", DifferenceKind::value, std::to_string(l), std::to_string(r));
  }
  if (refuses_credentials(r) && !refuses_credentials(l)) {
    comparison.verdict = Verdict::credentials;
    return comparison;
  }
  state_->headers.compare(left, right, list);
  std::string_view reason;
  if (same_class(l, r)) reason = state_->bodies.compare(left, right, list);
  if (state_->stop.stop_requested()) reason = "stopped";
  if (reason.empty() && list.lacks_a_field()) reason = "too many differences";
  comparison.reason = reason;
  if (!comparison.differences.empty())
    comparison.verdict = Verdict::different;
  else if (!reason.empty())
    comparison.verdict = Verdict::incomparable;
  return comparison;
}

}  // namespace segue::compare
