#include "compare/record_reading.hpp"

#include <string>

#include "recorder/wire_reading.hpp"

namespace segue::compare {
namespace {

using recorder::wire::walk;

bool merge(std::string_view bytes, google::protobuf::MessageLite& into) {
  return into.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

bool read_decision(std::string_view bytes, v1::Decision& into) {
  return walk(bytes, [&](int number, std::uint64_t, std::string_view text) {
    if (number == v1::Decision::kRouteFieldNumber) into.set_route(std::string(text));
    if (number == v1::Decision::kPathTemplateFieldNumber)
      into.set_path_template(std::string(text));
    if (number == v1::Decision::kBackendFieldNumber) into.set_backend(std::string(text));
    if (number == v1::Decision::kShadowFieldNumber) into.set_shadow(std::string(text));
  });
}

bool read_request(std::string_view bytes, v1::Request& into) {
  return walk(bytes, [&](int number, std::uint64_t, std::string_view text) {
    if (number == v1::Request::kMethodFieldNumber) into.set_method(std::string(text));
    if (number == v1::Request::kAuthorityFieldNumber) into.set_authority(std::string(text));
    if (number == v1::Request::kTargetFieldNumber) into.set_target(std::string(text));
  });
}

}  // namespace

std::optional<RecordHead> read_head(std::string_view record) noexcept {
  RecordHead head;
  bool whole = true;
  whole &= walk(record, [&](int number, std::uint64_t value, std::string_view bytes) {
    switch (number) {
      case v1::Exchange::kIdFieldNumber:
        head.id = bytes;
        break;
      case v1::Exchange::kKindFieldNumber:
        if (v1::Kind_IsValid(static_cast<int>(value))) head.kind = static_cast<v1::Kind>(value);
        break;
      case v1::Exchange::kParentIdFieldNumber:
        head.parent_id = bytes;
        break;
      case v1::Exchange::kDecisionFieldNumber:
        whole &= walk(bytes, [&](int inner, std::uint64_t, std::string_view text) {
          if (inner == v1::Decision::kRouteFieldNumber) head.route = text;
          if (inner == v1::Decision::kShadowFieldNumber) head.shadow = text;
        });
        break;
      default:
        break;
    }
  });
  if (!whole) return std::nullopt;
  return head;
}

bool parse_for_comparing(std::string_view record, v1::Exchange& into) {
  into.Clear();
  bool whole = true;
  whole &= walk(record, [&](int number, std::uint64_t value, std::string_view bytes) {
    switch (number) {
      case v1::Exchange::kIdFieldNumber:
        into.set_id(std::string(bytes));
        break;
      case v1::Exchange::kCreatedAtFieldNumber:
        into.set_created_at(static_cast<std::int64_t>(value));
        break;
      case v1::Exchange::kKindFieldNumber:
        into.set_kind(static_cast<v1::Kind>(value));
        break;
      case v1::Exchange::kParentIdFieldNumber:
        into.set_parent_id(std::string(bytes));
        break;
      case v1::Exchange::kOutcomeFieldNumber:
        into.set_outcome(static_cast<v1::Outcome>(value));
        break;
      case v1::Exchange::kDecisionFieldNumber:
        whole &= read_decision(bytes, *into.mutable_decision());
        break;
      case v1::Exchange::kRequestFieldNumber:
        whole &= read_request(bytes, *into.mutable_request());
        break;
      case v1::Exchange::kResponseFieldNumber:
        whole &= merge(bytes, *into.mutable_response());
        break;
      case v1::Exchange::kTimingFieldNumber:
        whole &= merge(bytes, *into.mutable_timing());
        break;
      case v1::Exchange::kRedactionsFieldNumber:
        whole &= merge(bytes, *into.add_redactions());
        break;
      default:
        break;
    }
  });
  return whole;
}

void keep_for_comparing(v1::Exchange& exchange) {
  exchange.clear_refusal();
  exchange.clear_finish();
  exchange.clear_provenance();
  exchange.clear_account_id();
  exchange.clear_trace();
  exchange.clear_client();
  exchange.clear_attempts();
  if (exchange.has_decision()) {
    v1::Decision& decision = *exchange.mutable_decision();
    decision.clear_parameters();
    decision.clear_endpoint();
    decision.clear_role();
    decision.clear_bucket();
    decision.clear_inputs();
    decision.clear_fallback_from();
  }
  if (!exchange.has_request()) return;
  v1::Request& request = *exchange.mutable_request();
  if (request.fields_size() == 0 && request.trailers_size() == 0 && !request.has_body() &&
      request.scheme().empty() && request.version().empty())
    return;
  // Cleared fields keep their memory; a message that goes does not.
  v1::Request kept;
  kept.set_method(std::move(*request.mutable_method()));
  kept.set_authority(std::move(*request.mutable_authority()));
  kept.set_target(std::move(*request.mutable_target()));
  request = std::move(kept);
}

}  // namespace segue::compare
