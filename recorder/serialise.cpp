#include "recorder/serialise.hpp"

#include <algorithm>

#include "exchange/ensure.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/wire.hpp"

namespace segue::recorder {
namespace {

using wire::delimited;
using wire::number;

constexpr std::size_t kRequestPart = v1::Redaction::REQUEST;
constexpr std::size_t kResponsePart = v1::Redaction::RESPONSE;
constexpr std::size_t kDecisionPart = v1::Redaction::DECISION;
constexpr std::size_t kClientPart = v1::Redaction::CLIENT;

std::string encode_provenance(const Provenance& provenance) {
  const auto describe = [&provenance](auto& sink) {
    using P = v1::Provenance;
    sink.message(delimited(v1::Exchange::kProvenanceFieldNumber), [&] {
      sink.text(delimited(P::kServiceFieldNumber), provenance.service);
      sink.text(delimited(P::kInstanceFieldNumber), provenance.instance);
      sink.text(delimited(P::kVersionFieldNumber), provenance.version);
      sink.text(delimited(P::kConfigVersionFieldNumber), provenance.config_version);
      sink.text(delimited(P::kConfigRevisionFieldNumber), provenance.config_revision);
    });
  };
  std::vector<std::uint32_t> lengths;
  wire::Counting counting(lengths);
  describe(counting);
  std::string encoded(counting.total(), '\0');
  wire::Writing writing(encoded.data(), lengths);
  describe(writing);
  return encoded;
}

std::string_view http_version(std::uint8_t minor) {
  static constexpr std::string_view kVersions[] = {"1.0", "1.1", "1.2", "1.3", "1.4",
                                                   "1.5", "1.6", "1.7", "1.8", "1.9"};
  return kVersions[std::min<std::size_t>(minor, std::size(kVersions) - 1)];
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;  // lower case only: Trace Context, 3.2.2
  return -1;
}

// Fills `out` from 2 * out.size() digits; false when there is anything else.
bool unhex(std::string_view text, std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

bool all_zero(std::span<const char> bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

std::uint64_t captured_bytes(const BodyView& body) {
  std::uint64_t total = 0;
  for (const std::string_view block : body.blocks) total += block.size();
  return total;
}

template <class Sink>
void describe_body(Sink& sink, const BodyView& body, const auto& plan) {
  using B = v1::Body;
  sink.varint(number(B::kCaptureFieldNumber), static_cast<std::uint64_t>(plan.capture));
  sink.varint(number(B::kSizeFieldNumber), body.size);
  sink.text(delimited(B::kReasonFieldNumber), plan.reason);
  sink.bytes(delimited(B::kSha256FieldNumber), body.sha256);
  sink.text(delimited(B::kContentTypeFieldNumber), plan.content_type);
  sink.text(delimited(B::kContentCodingFieldNumber), plan.content_coding);
  sink.varint(number(B::kCodingUndoneFieldNumber), plan.coding_undone ? 1 : 0);
  sink.pieces(delimited(B::kContentFieldNumber), body.blocks, plan.bytes);
}

}  // namespace

Serialiser::Serialiser(const Provenance& provenance, const AccountKey& key)
    : provenance_(encode_provenance(provenance)), hash_(key) {}

std::uint32_t& Serialiser::count(std::size_t part, int rule) {
  return counts_[part * rules_->rules().size() + static_cast<std::size_t>(rule)];
}

std::uint64_t Serialiser::redacted() const noexcept {
  std::uint64_t total = account_hashed_ ? 1 : 0;
  for (const std::uint32_t n : counts_) total += n;
  if (redacted_ == nullptr) return total;
  const Substitutes& substitutes = redacted_->substitutes;
  for (std::size_t part = 0; part < kParts; ++part)
    for (std::size_t rule = 0; rule < substitutes.rules().size(); ++rule)
      total += substitutes.count(part, rule);
  return total;
}

std::string_view Serialiser::hidden(std::string_view value, RedactionMode mode) const noexcept {
  if (mode == RedactionMode::drop) return {};
  return mode == RedactionMode::mask || redacted_ == nullptr ? kMask : value;
}

// One pass over the names decides what is redacted and finds the fields that other parts of the
// record copy, so that neither pass over the message compares names.
Serialiser::Noticed Serialiser::scan(std::span<const Field> fields, std::size_t part) {
  Noticed noticed;
  for (const Field& field : fields) {
    const int rule = rules_->match(field.name);
    verdicts_.push_back(static_cast<std::int16_t>(rule));
    if (rule != HeaderRules::kNoRule) {
      ++count(part, rule);
      continue;
    }
    switch (field.name.size()) {
      case 11:
        if (equals_ignoring_case(field.name, "traceparent")) noticed.traceparent = field.value;
        break;
      case 12:
        if (equals_ignoring_case(field.name, "content-type")) noticed.content_type = field.value;
        break;
      case 16:
        if (equals_ignoring_case(field.name, "content-encoding"))
          noticed.content_coding = field.value;
        break;
      default:
        break;
    }
  }
  return noticed;
}

Serialiser::BodyPlan Serialiser::plan_body(const BodyView& body, std::uint64_t keep,
                                           const BodyCut& cut, const Noticed& noticed) {
  const std::uint64_t captured = captured_bytes(body);
  BodyPlan plan{captured, body.capture, body.reason, {}, {}, false};
  if (captured > keep) {
    plan.bytes = keep;
    plan.capture = cut.capture;
    plan.reason = cut.reason;
  }
  if (body.capture != Capture::absent) {
    plan.content_type = noticed.content_type;
    plan.content_coding = noticed.content_coding;
  }
  return plan;
}

void Serialiser::plan_account(AccountForm form) {
  account_ = exchange_->account_id;
  account_hashed_ = form == AccountForm::hashed && !account_.empty();
  if (!account_hashed_) return;
  hash_.text(account_).copy(hashed_account_.data(), hashed_account_.size());
  account_ = {hashed_account_.data(), hashed_account_.size()};
}

// What came in a header that is redacted is redacted wherever it was copied to.
void Serialiser::plan_client() {
  const auto hide = [this](std::string_view value, std::string_view header, std::size_t part) {
    const int rule = value.empty() ? HeaderRules::kNoRule : rules_->match(header);
    if (rule == HeaderRules::kNoRule) return value;
    ++count(part, rule);
    return hidden(value, rules_->rules()[static_cast<std::size_t>(rule)].mode);
  };
  authority_ = hide(exchange_->request.head.authority, "host", kRequestPart);
  forwarded_for_ = hide(exchange_->client.forwarded_for, "x-forwarded-for", kClientPart);
  if (forwarded_for_ == exchange_->client.forwarded_for)
    forwarded_for_ = hide(forwarded_for_, "forwarded", kClientPart);
}

// version "-" trace-id "-" parent-id "-" flags (W3C Trace Context, 3.2); a later version may have
// more behind a further dash.
void Serialiser::plan_trace(std::string_view text) {
  traced_ = false;
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || (text.size() > kLength && text[kLength] != '-')) return;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-' || text.starts_with("ff")) return;
  char version = 0;
  char flags = 0;
  const std::span<char> ids(trace_);
  if (!unhex(text.substr(0, 2), {&version, 1}) || !unhex(text.substr(3, 32), ids.first(16)) ||
      !unhex(text.substr(36, 16), ids.last(8)) || !unhex(text.substr(53, 2), {&flags, 1}))
    return;
  if (version == 0 && text.size() != kLength) return;
  if (all_zero(ids.first(16)) || all_zero(ids.last(8))) return;
  trace_flags_ = static_cast<unsigned char>(flags);
  traced_ = true;
}

std::size_t Serialiser::measure(const ExchangeView& exchange, const HeaderRules& rules,
                                AccountForm account, const BodyCut& cut) {
  exchange_ = &exchange;
  redacted_ = nullptr;
  rules_ = &rules;
  return measure_all(account, cut);
}

std::size_t Serialiser::measure(const Redacted& redacted, const HeaderRules& rules,
                                AccountForm account, const BodyCut& cut) {
  exchange_ = &redacted.view;
  redacted_ = &redacted;
  rules_ = &rules;
  return measure_all(redacted.account_hidden ? AccountForm::hashed : account, cut);
}

std::size_t Serialiser::measure_all(AccountForm account, const BodyCut& cut) {
  const ExchangeView& exchange = *exchange_;
  verdicts_.clear();
  counts_.assign(kParts * rules_->rules().size(), 0);

  scan(exchange.decision.inputs, kDecisionPart);
  const Noticed request = scan(exchange.request.head.fields, kRequestPart);
  scan(exchange.request.trailers, kRequestPart);
  const Noticed response = scan(exchange.response.fields, kResponsePart);
  scan(exchange.response.trailers, kResponsePart);
  request_body_ = plan_body(exchange.request.body, cut.request_bytes, cut, request);
  response_body_ = plan_body(exchange.response.body, cut.response_bytes, cut, response);
  if (redacted_ != nullptr) {
    request_body_.coding_undone = redacted_->request_coding_undone;
    response_body_.coding_undone = redacted_->response_coding_undone;
  }
  plan_account(account);
  plan_client();
  plan_trace(request.traceparent);

  wire::Counting counting(lengths_);
  next_verdict_ = 0;
  describe(counting);
  return counting.total();
}

void Serialiser::write(char* out) {
  wire::Writing writing(out, lengths_);
  next_verdict_ = 0;
  describe(writing);
}

template <class Sink>
void Serialiser::describe(Sink& sink) {
  using E = v1::Exchange;
  const ExchangeView& e = *exchange_;
  sink.bytes(delimited(E::kIdFieldNumber), e.id.raw());  // first: the journal looks for it there
  sink.varint(number(E::kCreatedAtFieldNumber), static_cast<std::uint64_t>(e.created_at));
  sink.varint(number(E::kKindFieldNumber), static_cast<std::uint64_t>(e.kind));
  if (!e.parent_id.empty()) sink.bytes(delimited(E::kParentIdFieldNumber), e.parent_id.raw());
  sink.varint(number(E::kOutcomeFieldNumber), static_cast<std::uint64_t>(e.outcome));
  sink.text(delimited(E::kRefusalFieldNumber), e.refusal);
  sink.encoded(provenance_);
  sink.message(delimited(E::kDecisionFieldNumber), [&] { describe_decision(sink); });
  sink.bytes(delimited(E::kAccountIdFieldNumber), account_);
  if (traced_) {
    sink.message(delimited(E::kTraceFieldNumber), [&] {
      sink.bytes(delimited(v1::Trace::kTraceIdFieldNumber), {trace_.data(), 16});
      sink.bytes(delimited(v1::Trace::kSpanIdFieldNumber), {trace_.data() + 16, 8});
      sink.varint(number(v1::Trace::kFlagsFieldNumber), trace_flags_);
    });
  }
  sink.message(delimited(E::kClientFieldNumber), [&] { describe_client(sink); });
  sink.message(delimited(E::kRequestFieldNumber), [&] { describe_request(sink); });
  if (e.response.status != 0)
    sink.message(delimited(E::kResponseFieldNumber), [&] { describe_response(sink); });
  sink.message(delimited(E::kTimingFieldNumber), [&] { describe_timing(sink); });
  for (const Attempt& attempt : e.attempts) {
    sink.message(delimited(E::kAttemptsFieldNumber), [&] {
      sink.text(delimited(v1::Attempt::kEndpointFieldNumber), attempt.endpoint);
      sink.text(delimited(v1::Attempt::kErrorFieldNumber), attempt.error);
      sink.varint(number(v1::Attempt::kAtFieldNumber), static_cast<std::uint64_t>(attempt.at));
    });
  }
  describe_redactions(sink);
}

template <class Sink>
void Serialiser::describe_decision(Sink& sink) {
  using D = v1::Decision;
  const DecisionView& decision = exchange_->decision;
  sink.text(delimited(D::kRouteFieldNumber), decision.route);
  sink.text(delimited(D::kPathTemplateFieldNumber), decision.path_template);
  for (const Parameter& parameter : decision.parameters)
    sink.pair(delimited(D::kParametersFieldNumber), parameter.name, parameter.value);
  sink.text(delimited(D::kBackendFieldNumber), decision.backend);
  sink.text(delimited(D::kEndpointFieldNumber), decision.endpoint);
  sink.text(delimited(D::kRoleFieldNumber), decision.role);
  if (decision.bucket >= 0)
    sink.present(number(D::kBucketFieldNumber), static_cast<std::uint64_t>(decision.bucket));
  for (const Field& input : decision.inputs) {
    const bool plain = verdicts_[next_verdict_++] == HeaderRules::kNoRule;
    sink.pair(delimited(D::kInputsFieldNumber), input.name,
              plain ? input.value : hash_.text(input.value));
  }
  sink.text(delimited(D::kFallbackFromFieldNumber), decision.fallback_from);
  sink.text(delimited(D::kShadowFieldNumber), decision.shadow);
}

template <class Sink>
void Serialiser::describe_client(Sink& sink) {
  using C = v1::Client;
  const ClientView& client = exchange_->client;
  sink.text(delimited(C::kAddressFieldNumber), client.address);
  sink.text(delimited(C::kForwardedForFieldNumber), forwarded_for_);
  sink.text(delimited(C::kTlsVersionFieldNumber), client.tls_version);
  sink.text(delimited(C::kServerNameFieldNumber), client.server_name);
  sink.text(delimited(C::kAlpnFieldNumber), client.alpn);
}

template <class Sink>
void Serialiser::describe_fields(Sink& sink, std::uint32_t tag, std::span<const Field> fields) {
  for (const Field& field : fields) {
    const std::int16_t verdict = verdicts_[next_verdict_++];
    if (verdict == HeaderRules::kNoRule) [[likely]] {
      sink.pair(tag, field.name, field.value);
      continue;
    }
    const RedactionMode mode = rules_->rules()[static_cast<std::size_t>(verdict)].mode;
    if (mode != RedactionMode::drop) sink.pair(tag, field.name, hidden(field.value, mode));
  }
}

template <class Sink>
void Serialiser::describe_request(Sink& sink) {
  using R = v1::Request;
  const RequestView& request = exchange_->request;
  sink.text(delimited(R::kMethodFieldNumber), request.head.method);
  sink.text(delimited(R::kSchemeFieldNumber), request.head.scheme);
  sink.bytes(delimited(R::kAuthorityFieldNumber), authority_);
  sink.bytes(delimited(R::kTargetFieldNumber), request.head.target);
  sink.text(delimited(R::kVersionFieldNumber), http_version(request.version_minor));
  describe_fields(sink, delimited(R::kFieldsFieldNumber), request.head.fields);
  describe_fields(sink, delimited(R::kTrailersFieldNumber), request.trailers);
  sink.message(delimited(R::kBodyFieldNumber),
               [&] { describe_body(sink, request.body, request_body_); });
}

template <class Sink>
void Serialiser::describe_response(Sink& sink) {
  using R = v1::Response;
  const ResponseView& response = exchange_->response;
  sink.varint(number(R::kStatusFieldNumber), response.status);
  sink.bytes(delimited(R::kReasonFieldNumber), response.reason);
  sink.text(delimited(R::kVersionFieldNumber), http_version(response.version_minor));
  sink.packed(delimited(R::kInterimFieldNumber), response.interim);
  describe_fields(sink, delimited(R::kFieldsFieldNumber), response.fields);
  describe_fields(sink, delimited(R::kTrailersFieldNumber), response.trailers);
  sink.message(delimited(R::kBodyFieldNumber),
               [&] { describe_body(sink, response.body, response_body_); });
}

template <class Sink>
void Serialiser::describe_timing(Sink& sink) {
  using T = v1::Timing;
  const Timing& timing = exchange_->timing;
  const auto moment = [&sink](int field, std::int64_t micros) {
    if (micros >= 0) sink.present(number(field), static_cast<std::uint64_t>(micros));
  };
  moment(T::kConnectFieldNumber, timing.connect);
  moment(T::kTlsFieldNumber, timing.tls);
  moment(T::kRequestSentFieldNumber, timing.request_sent);
  moment(T::kFirstByteFieldNumber, timing.first_byte);
  moment(T::kLastByteFieldNumber, timing.last_byte);
}

template <class Sink>
void Serialiser::describe_redactions(Sink& sink) {
  using R = v1::Redaction;
  const auto entry = [&sink](std::string_view rule, std::size_t part, R::Mode mode,
                             std::uint32_t values) {
    sink.message(delimited(v1::Exchange::kRedactionsFieldNumber), [&] {
      sink.text(delimited(R::kRuleFieldNumber), rule);
      sink.varint(number(R::kModeFieldNumber), static_cast<std::uint64_t>(mode));
      sink.varint(number(R::kPartFieldNumber), part);
      sink.varint(number(R::kCountFieldNumber), values);
    });
  };
  const auto mode_of = [this](RedactionMode mode) {
    if (mode == RedactionMode::drop) return R::DROP;
    if (mode == RedactionMode::mask || redacted_ == nullptr || !redacted_->substitutes.has_key())
      return R::MASK;
    return mode == RedactionMode::hash ? R::HASH : R::ENCRYPT;
  };
  const std::span<const HeaderRules::Rule> rules = rules_->rules();
  for (std::size_t part = 0; part < kParts; ++part) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::uint32_t values = counts_[part * rules.size() + i];
      if (values == 0) continue;
      entry(rules[i].label, part, part == kDecisionPart ? R::HASH : mode_of(rules[i].mode), values);
    }
    if (redacted_ == nullptr) continue;
    const std::span<const Rule> others = redacted_->substitutes.rules();
    for (std::size_t i = 0; i < others.size(); ++i)
      if (const std::uint32_t values = redacted_->substitutes.count(part, i); values != 0)
        entry(others[i].label, part, mode_of(others[i].mode), values);
  }
  if (account_hashed_) entry("account", R::ACCOUNT, R::HASH, 1);
}

namespace {

template <class Sink>
void describe_finish(Sink& sink, const FinishView& finish) {
  using E = v1::Exchange;
  sink.bytes(delimited(E::kIdFieldNumber), finish.id.raw());
  sink.varint(number(E::kCreatedAtFieldNumber), static_cast<std::uint64_t>(finish.at));
  sink.varint(number(E::kKindFieldNumber), v1::KIND_FINISH);
  sink.bytes(delimited(E::kParentIdFieldNumber), finish.exchange_id.raw());
  sink.varint(number(E::kOutcomeFieldNumber), static_cast<std::uint64_t>(finish.outcome));
  sink.message(delimited(E::kFinishFieldNumber), [&] {
    sink.varint(number(v1::Finish::kBytesFromClientFieldNumber), finish.bytes_from_client);
    sink.varint(number(v1::Finish::kBytesToClientFieldNumber), finish.bytes_to_client);
  });
}

}  // namespace

std::size_t Serialiser::measure(const FinishView& finish) {
  wire::Counting counting(lengths_);
  describe_finish(counting, finish);
  counting.encoded(provenance_);
  return counting.total();
}

void Serialiser::write(const FinishView& finish, char* out) {
  wire::Writing writing(out, lengths_);
  describe_finish(writing, finish);
  writing.encoded(provenance_);
}

}  // namespace segue::recorder
