#include "tests/compare/family.hpp"

#include <array>
#include <memory>

#include "exchange/id.hpp"

namespace segue::compare::test {
namespace {

constexpr std::int64_t kEpoch = 1'763'715'600'000'000;

std::string numbered(std::uint64_t n, std::uint8_t last) {
  std::array<std::uint8_t, ExchangeId::kBytes> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[14 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  bytes[15] = last;
  return std::string(ExchangeId{bytes}.raw());
}

v1::Exchange exchange_of(std::uint64_t n, const Answer& answer, std::string_view route) {
  v1::Exchange exchange;
  exchange.set_created_at(kEpoch + static_cast<std::int64_t>(n) * 1'000);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_decision()->set_route(std::string(route));
  exchange.mutable_request()->set_method("GET");
  exchange.mutable_request()->set_target("/searches/42");
  exchange.mutable_request()->mutable_body()->set_capture(v1::CAPTURE_ABSENT);
  v1::Response& response = *exchange.mutable_response();
  response.set_status(answer.status);
  response.set_version("1.1");
  for (const auto& [name, value] : answer.headers) {
    v1::Field& field = *response.add_fields();
    field.set_name(name);
    field.set_value(value);
    if (name == "content-type") response.mutable_body()->set_content_type(value);
  }
  response.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  response.mutable_body()->set_size(answer.body.size());
  response.mutable_body()->set_content(answer.body);
  exchange.mutable_timing()->set_request_sent(100);
  exchange.mutable_timing()->set_first_byte(100 + answer.microseconds);
  return exchange;
}

v1::Exchange other_of(std::uint64_t n, v1::Kind kind, const Answer& answer,
                      std::string_view route) {
  v1::Exchange exchange = exchange_of(n, answer, route);
  exchange.set_id(other_id(n, kind));
  exchange.set_kind(kind);
  exchange.set_parent_id(primary_id(n));
  return exchange;
}

}  // namespace

std::string primary_id(std::uint64_t n) {
  return numbered(n, 0);
}

std::string other_id(std::uint64_t n, v1::Kind kind) {
  return numbered(n, static_cast<std::uint8_t>(kind));
}

v1::Exchange primary(std::uint64_t n, const Answer& answer, std::string_view route) {
  v1::Exchange exchange = exchange_of(n, answer, route);
  exchange.set_id(primary_id(n));
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.mutable_decision()->set_shadow("sent");
  return exchange;
}

v1::Exchange shadow(std::uint64_t n, const Answer& answer, std::string_view route) {
  return other_of(n, v1::KIND_SHADOW, answer, route);
}

v1::Exchange control(std::uint64_t n, const Answer& answer, std::string_view route) {
  return other_of(n, v1::KIND_CONTROL, answer, route);
}

Pair pair_of(std::uint64_t n, v1::Kind kind, const Answer& left, const Answer& right) {
  return {std::make_shared<const v1::Exchange>(primary(n, left)),
          kind == v1::KIND_SHADOW ? shadow(n, right) : control(n, right)};
}

Comparison different_in(const std::vector<std::string>& fields, DifferenceKind kind) {
  Comparison comparison;
  comparison.verdict = Verdict::different;
  for (const std::string& field : fields)
    comparison.differences.push_back({.part = Part::body,
                                      .path = field,
                                      .field = field,
                                      .kind = kind,
                                      .left = "1",
                                      .right = "2"});
  return comparison;
}

Comparison verdict_of(Verdict verdict, std::string_view reason) {
  Comparison comparison;
  comparison.verdict = verdict;
  comparison.reason = reason;
  return comparison;
}

}  // namespace segue::compare::test
