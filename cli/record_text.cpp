#include "cli/record_text.hpp"

#include <fmt/format.h>

#include "cli/exchange_json.hpp"
#include "cli/exchange_text.hpp"
#include "cli/exchange_value.hpp"
#include "cli/json_writer.hpp"
#include "cli/listing.hpp"
#include "recorder/utf8.hpp"

namespace segue::cli {
namespace {

constexpr std::size_t kShownBytes = 1'024;  // of a value that is no exchange

std::string record_time(std::int64_t unix_millis) {
  return unix_millis < 0 ? std::string("-") : time_text(unix_millis * 1'000);
}

// Whether it is text to a person: UTF-8 without control characters but line ends and tabs.
bool is_text(std::string_view value) {
  if (!recorder::is_utf8(value)) return false;
  for (const char c : value)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') return false;
  return true;
}

std::string exchange_summary(const v1::Exchange& exchange, std::uint32_t schema_id) {
  std::string text = fmt::format(
      "{} {} {} -> {} by {} in {}, {}", kind_name(exchange.kind()),
      printable(exchange.request().method()), printable(exchange.request().target()),
      exchange.response().status(), printable(exchange.decision().backend()),
      latency_text(exchange), outcome_name(exchange.outcome()));
  if (exchange.kind() == v1::KIND_FINISH)
    text = fmt::format("FINISH of {}, {}", id_text(exchange.parent_id()),
                       outcome_name(exchange.outcome()));
  if (schema_id != 0) text += fmt::format(", schema {}", schema_id);
  return text;
}

std::string value_text(std::string_view value) {
  const std::string_view start = value.substr(0, kShownBytes);
  const std::string more =
      start.size() < value.size() ? fmt::format(" and {} more", value.size() - start.size()) : "";
  if (is_text(value)) return fmt::format("{}{}", printable(start, Lines::escape), more);
  return fmt::format("{} bytes: {}{}", value.size(), hex(start), more);
}

}  // namespace

std::string record_text(const ShownRecord& shown, const Paint& paint) {
  const kafka::TopicRecord& record = shown.record;
  std::string text = fmt::format(
      "{}  {}  key {}\n",
      paint.strong(fmt::format("{}/{} @{}", shown.topic, record.partition, record.offset)),
      record_time(record.unix_millis), record.key ? printable(*record.key) : std::string("none"));
  for (const auto& [name, value] : record.headers)
    text += fmt::format("  {} {}\n", paint.faint(printable(name) + ":"), printable(value));
  if (!record.value) return text + "  no value (a tombstone)\n";
  if (shown.exchange == nullptr) return text + fmt::format("  {}\n", value_text(*record.value));
  return text + fmt::format("  {}\n  {} {}\n", exchange_summary(*shown.exchange, shown.schema_id),
                            paint.faint("id:"), id_text(shown.exchange->id()));
}

std::string record_json(const ShownRecord& shown) {
  const kafka::TopicRecord& record = shown.record;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("topic", shown.topic);
  json.member("partition", std::int64_t{record.partition});
  json.member("offset", record.offset);
  json.key("timestamp");
  if (record.unix_millis < 0)
    json.null();
  else
    json.text(record_time(record.unix_millis));
  if (record.key) json.octets("key", *record.key);
  json.key("headers");
  json.begin_array();
  for (const auto& [name, value] : record.headers) {
    json.begin_object();
    json.member("name", name);
    json.octets("value", value);
    json.end_object();
  }
  json.end_array();
  if (shown.schema_id != 0) json.member("schema_id", std::uint64_t{shown.schema_id});
  if (shown.exchange != nullptr) {
    // The exchange is JSON already.
    text += fmt::format(",\"exchange\":{}", exchange_json(*shown.exchange));
  } else if (record.value) {
    json.octets("value", *record.value);
  } else {
    json.key("value");
    json.null();
  }
  json.end_object();
  return text;
}

std::string rendered_record(const std::string& topic, const kafka::TopicRecord& record,
                            OutputForm form, const Paint& paint) {
  v1::Exchange exchange;
  const auto decoded = record.value ? decode_exchange(*record.value, exchange) : std::nullopt;
  const ShownRecord shown{topic, record, decoded ? &exchange : nullptr,
                          decoded ? decoded->schema_id : 0};
  return form == OutputForm::json ? record_json(shown) + '\n' : record_text(shown, paint);
}

}  // namespace segue::cli
