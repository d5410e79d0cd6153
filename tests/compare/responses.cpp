#include "tests/compare/responses.hpp"

#include <stdexcept>

namespace segue::test {

Response::Response(std::uint32_t status) {
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_response()->set_status(status);
  exchange.mutable_response()->mutable_body()->set_capture(v1::CAPTURE_ABSENT);
}

Response& Response::header(std::string_view name, std::string_view value) {
  auto* const field = exchange.mutable_response()->add_fields();
  field->set_name(std::string(name));
  field->set_value(std::string(value));
  if (name == "content-encoding" || name == "Content-Encoding")
    exchange.mutable_response()->mutable_body()->set_content_coding(std::string(value));
  return *this;
}

Response& Response::body(std::string_view type, std::string_view content) {
  auto* const body = exchange.mutable_response()->mutable_body();
  body->set_capture(v1::CAPTURE_COMPLETE);
  body->set_content_type(std::string(type));
  body->set_content(std::string(content));
  body->set_size(content.size());
  return *this;
}

Response& Response::redacted(std::string_view rule, v1::Redaction::Mode mode) {
  auto* const redaction = exchange.add_redactions();
  redaction->set_rule(std::string(rule));
  redaction->set_mode(mode);
  redaction->set_part(v1::Redaction::RESPONSE);
  redaction->set_count(1);
  return *this;
}

Response json(std::string_view content) {
  Response response;
  response.body("application/json", content);
  return response;
}

std::vector<std::string> lines_of(const compare::Comparison& comparison) {
  std::vector<std::string> lines;
  for (const compare::Difference& difference : comparison.differences) {
    std::string line;
    if (difference.part != compare::Part::body) line += std::string(name_of(difference.part)) + " ";
    line += std::string(name_of(difference.kind)) + " " + difference.path;
    if (difference.field != difference.path) line += " (" + difference.field + ")";
    line += ": " + difference.left + " -> " + difference.right;
    lines.push_back(std::move(line));
  }
  return lines;
}

Comparing::Comparing(const compare::RouteRules& rules) {
  auto made = compare::Comparer::make(rules);
  if (made.comparer == nullptr) throw std::runtime_error(made.problem);
  comparer_ = std::move(made.comparer);
}

const compare::Comparison& Comparing::operator()(const Response& left, const Response& right) {
  return comparer_->compare(left.exchange, right.exchange);
}

std::vector<std::string> Comparing::found(std::string_view left, std::string_view right) {
  return lines_of((*this)(json(left), json(right)));
}

}  // namespace segue::test
