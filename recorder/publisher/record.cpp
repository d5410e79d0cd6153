#include "recorder/publisher/record.hpp"

#include <array>
#include <charconv>

#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/wire_reading.hpp"

namespace segue::recorder {
namespace {

using wire::walk;

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;

std::string_view of_length(std::string_view bytes, std::size_t length) noexcept {
  return bytes.size() == length ? bytes : std::string_view{};
}

void read_trace(std::string_view trace, RecordFields& fields) {
  walk(trace, [&](int number, std::uint64_t value, std::string_view bytes) {
    switch (number) {
      case v1::Trace::kTraceIdFieldNumber:
        fields.trace_id = of_length(bytes, kTraceIdBytes);
        break;
      case v1::Trace::kSpanIdFieldNumber:
        fields.span_id = of_length(bytes, kSpanIdBytes);
        break;
      case v1::Trace::kFlagsFieldNumber:
        fields.trace_flags = static_cast<std::uint32_t>(value);
        break;
      default:
        break;
    }
  });
}

void add(rd_kafka_headers_t& headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(&headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

void add_id(rd_kafka_headers_t& headers, std::string_view raw) {
  const auto id = ExchangeId::from_bytes(raw);
  if (!id) return;
  std::array<char, ExchangeId::kTextLength> text;
  id->format(text.data());
  add(headers, "segue-id", {text.data(), text.size()});
}

std::string_view kind_name(std::uint32_t kind) noexcept {
  switch (kind) {
    case v1::KIND_PRIMARY:
      return "PRIMARY";
    case v1::KIND_SHADOW:
      return "SHADOW";
    case v1::KIND_CONTROL:
      return "CONTROL";
    case v1::KIND_REPLAY:
      return "REPLAY";
    case v1::KIND_PROBE:
      return "PROBE";
    case v1::KIND_FINISH:
      return "FINISH";
    default:
      return {};
  }
}

char* put_hex(char* out, std::string_view bytes) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 0xf];
  }
  return out;
}

// https://www.w3.org/TR/trace-context/#traceparent-header: version 00.
void add_traceparent(rd_kafka_headers_t& headers, const RecordFields& fields) {
  if (fields.trace_id.empty() || fields.span_id.empty()) return;
  std::array<char, 2 + 1 + 2 * kTraceIdBytes + 1 + 2 * kSpanIdBytes + 1 + 2> text;
  const char flags = static_cast<char>(fields.trace_flags);
  char* at = text.data();
  *at++ = '0';
  *at++ = '0';
  *at++ = '-';
  at = put_hex(at, fields.trace_id);
  *at++ = '-';
  at = put_hex(at, fields.span_id);
  *at++ = '-';
  put_hex(at, {&flags, 1});
  add(headers, "traceparent", {text.data(), text.size()});
}

void add_status(rd_kafka_headers_t& headers, std::uint32_t status) {
  if (status == 0) return;
  std::array<char, 10> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), status);
  add(headers, "segue-status", {digits.data(), written.ptr});
}

}  // namespace

RecordFields read_fields(std::string_view payload) noexcept {
  RecordFields fields;
  walk(payload, [&](int number, std::uint64_t value, std::string_view bytes) {
    switch (number) {
      case v1::Exchange::kIdFieldNumber:
        fields.id = of_length(bytes, ExchangeId::kBytes);
        break;
      case v1::Exchange::kCreatedAtFieldNumber:
        fields.created_at = static_cast<std::int64_t>(value);
        break;
      case v1::Exchange::kKindFieldNumber:
        fields.kind = static_cast<std::uint32_t>(value);
        break;
      case v1::Exchange::kParentIdFieldNumber:
        fields.parent_id = of_length(bytes, ExchangeId::kBytes);
        break;
      case v1::Exchange::kDecisionFieldNumber:
        walk(bytes, [&](int inner, std::uint64_t, std::string_view text) {
          if (inner == v1::Decision::kRouteFieldNumber) fields.route = text;
        });
        break;
      case v1::Exchange::kAccountIdFieldNumber:
        fields.account_id = bytes;
        break;
      case v1::Exchange::kTraceFieldNumber:
        read_trace(bytes, fields);
        break;
      case v1::Exchange::kResponseFieldNumber:
        walk(bytes, [&](int inner, std::uint64_t number_of, std::string_view) {
          if (inner == v1::Response::kStatusFieldNumber)
            fields.status = static_cast<std::uint32_t>(number_of);
        });
        break;
      default:
        break;
    }
  });
  return fields;
}

bool is_finish(const RecordFields& fields) noexcept {
  return fields.kind == v1::KIND_FINISH;
}

bool is_shadow_kind(const RecordFields& fields) noexcept {
  return fields.kind == v1::KIND_SHADOW || fields.kind == v1::KIND_CONTROL;
}

std::string_view key_of(const RecordFields& fields, std::string& text) {
  if (!fields.account_id.empty()) return fields.account_id;
  const bool by_parent = is_finish(fields) && !fields.parent_id.empty();
  const auto id = ExchangeId::from_bytes(by_parent ? fields.parent_id : fields.id);
  text = id ? id->text() : std::string{};
  return text;
}

Headers make_headers(const RecordFields& fields, Redelivery redelivery) {
  constexpr std::size_t kMostHeaders = 7;
  Headers headers(rd_kafka_headers_new(kMostHeaders));
  add_id(*headers, fields.id);
  if (const auto kind = kind_name(fields.kind); !kind.empty()) add(*headers, "segue-kind", kind);
  if (!fields.route.empty()) add(*headers, "segue-route", fields.route);
  add_status(*headers, fields.status);
  add(*headers, "content-type", "application/x-protobuf");
  add_traceparent(*headers, fields);
  if (redelivery == Redelivery::possible) add(*headers, "segue-redelivery", "1");
  return headers;
}

std::size_t overhead_of(const RecordFields& fields, std::size_t key_bytes) noexcept {
  // A batch's header is 61 bytes, a record's at most 36; the headers with names, values and
  // lengths are at most 330 without the route.
  constexpr std::size_t kFixedBytes = 512;
  return kFixedBytes + fields.route.size() + key_bytes;
}

}  // namespace segue::recorder
