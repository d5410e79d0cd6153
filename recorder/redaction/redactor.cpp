#include "recorder/redaction/redactor.hpp"

#include <algorithm>
#include <utility>

#include "recorder/exchange.pb.h"

namespace segue::recorder {
namespace {

constexpr std::size_t kKeptBytes = 1 << 20;

// The one Content-Type; nullopt when several say different things.
std::optional<std::string_view> content_type_of(std::span<const Field> fields) {
  std::optional<std::string_view> found;
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "content-type")) continue;
    if (found && *found != field.value) return std::nullopt;
    found = field.value;
  }
  return found.value_or(std::string_view{});
}

}  // namespace

Redactor::Redactor(const std::optional<RedactionKey>& key, std::uint32_t lane)
    : substitutes_(nullptr), redacted_{{}, substitutes_} {
  if (!key) return;
  sealer_.emplace(*key, lane);
  substitutes_ = Substitutes(&*sealer_);
}

std::string& Redactor::fresh() {
  if (used_texts_ == texts_.size()) texts_.emplace_back();
  std::string& text = texts_[used_texts_++];
  text.clear();
  if (text.capacity() > kKeptBytes) text = {};
  return text;
}

std::string_view Redactor::text(std::string_view value, Parameters parameters) {
  if (value.empty()) return value;
  if (!search_.find(value, rules_->text(), parameters)) return kMask;
  if (search_.hits().empty()) return value;
  std::string& hidden = fresh();
  substitutes_.replace(value, search_.hits(), hidden);
  return hidden;
}

// The serialiser masks and drops, and counts, what a header rule hides.
std::string_view Redactor::value_of(std::string_view header, std::string_view value,
                                    Parameters parameters) {
  const int rule = rules_->headers.match(header);
  if (rule == HeaderRules::kNoRule) return text(value, parameters);
  const RedactionMode mode = rules_->headers.rules()[static_cast<std::size_t>(rule)].mode;
  if (mode != RedactionMode::hash && mode != RedactionMode::encrypt) return value;
  std::string& hidden = fresh();
  substitutes_.put(mode, value, hidden);
  return hidden;
}

std::span<const Field> Redactor::fields(std::span<const Field> from, std::vector<Field>& into) {
  into.clear();
  for (const Field& field : from)
    into.push_back({field.name, value_of(field.name, field.value, Parameters::url)});
  return into;
}

void Redactor::decision(DecisionView& decision) {
  substitutes_.enter(v1::Redaction::DECISION);
  inputs_.clear();
  for (const Field& input : decision.inputs) {
    // What a header rule hides is hashed by the serialiser, under the account key.
    const bool ruled = rules_->headers.match(input.name) != HeaderRules::kNoRule;
    inputs_.push_back({input.name, ruled ? input.value : text(input.value, Parameters::url)});
  }
  decision.inputs = inputs_;
  parameters_.clear();
  for (const Parameter& parameter : decision.parameters)
    parameters_.push_back({parameter.name, text(parameter.value, Parameters::none)});
  decision.parameters = parameters_;
}

void Redactor::client(ClientView& client) {
  substitutes_.enter(v1::Redaction::CLIENT);
  const bool is_forwarded = rules_->headers.match("forwarded") != HeaderRules::kNoRule;
  const bool is_x_forwarded = rules_->headers.match("x-forwarded-for") != HeaderRules::kNoRule;
  client.forwarded_for = value_of(is_forwarded && !is_x_forwarded ? "forwarded" : "x-forwarded-for",
                                  client.forwarded_for, Parameters::none);
  client.server_name = text(client.server_name, Parameters::none);
}

// Returns whether the content coding was undone. A digest would tell whoever guesses what is hidden
// that the guess is right: it stays only with what is on record to its last byte as it came, and with
// what no rule looks into.
bool Redactor::body(BodyView& body, std::span<const Field> fields, Body& into) {
  if (into.content.capacity() > kKeptBytes) into.content = {};
  const BodyRedactor::Rules rules{rules_->json, rules_->text()};
  if (!rules.any() || (body.blocks.empty() && body.size == 0)) return false;
  const std::string_view sha256 = std::exchange(body.sha256, {});
  if (body.blocks.empty()) return false;
  const auto content_type = content_type_of(fields);
  into.codings.clear();
  for (const Field& field : fields) {
    if (!equals_ignoring_case(field.name, "content-encoding")) continue;
    if (!into.codings.empty()) into.codings += ',';
    into.codings += field.value;
  }
  RedactedBody redacted{RedactedBody::Fate::dropped, "redaction: several content types"};
  if (content_type)
    redacted =
        bodies_.redact(body, {*content_type, into.codings}, rules, substitutes_, into.content);
  switch (redacted.fate) {
    case RedactedBody::Fate::untouched:
      if (redacted.is_opaque || body.capture == Capture::complete) body.sha256 = sha256;
      return false;
    case RedactedBody::Fate::replaced:
      into.block = into.content;
      body.blocks = {&into.block, 1};
      return redacted.coding_undone;
    case RedactedBody::Fate::dropped:
      break;
  }
  body.blocks = {};
  body.capture = Capture::skipped;
  body.reason = redacted.reason;
  return false;
}

// Joins must stay possible: the id is hashed as a whole.
void Redactor::account(std::string_view account_id) {
  substitutes_.enter(v1::Redaction::ACCOUNT);
  const bool kept = search_.find(account_id, rules_->text(), Parameters::none);
  redacted_.account_hidden = !kept || !search_.hits().empty();
}

const Redacted& Redactor::redact(const ExchangeView& exchange, const RouteRules& rules) {
  rules_ = &rules;
  used_texts_ = 0;
  substitutes_.start(rules.rules);
  ExchangeView& view = redacted_.view;
  view = exchange;

  decision(view.decision);
  client(view.client);
  account(view.account_id);

  substitutes_.enter(v1::Redaction::REQUEST);
  RequestView& request = view.request;
  request.head.method = text(request.head.method, Parameters::none);
  request.head.authority = value_of("host", request.head.authority, Parameters::none);
  request.head.target = text(request.head.target, Parameters::url);
  request.head.fields = fields(request.head.fields, request_fields_);
  request.trailers = fields(request.trailers, request_trailers_);
  redacted_.request_coding_undone = body(request.body, exchange.request.head.fields, request_body_);

  substitutes_.enter(v1::Redaction::RESPONSE);
  ResponseView& response = view.response;
  response.reason = text(response.reason, Parameters::none);
  response.fields = fields(response.fields, response_fields_);
  response.trailers = fields(response.trailers, response_trailers_);
  redacted_.response_coding_undone = body(response.body, exchange.response.fields, response_body_);
  return redacted_;
}

}  // namespace segue::recorder
