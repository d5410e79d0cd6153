#include "cli/har.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"
#include "exchange/head.hpp"

namespace segue::cli {
namespace {

constexpr std::int64_t kUnknown = -1;  // HAR's word for "not available"

void write_pair(JsonWriter& json, std::string_view name, std::string_view value) {
  json.begin_object();
  json.member("name", name);
  json.member("value", value);
  json.end_object();
}

void write_headers(JsonWriter& json, const auto& fields) {
  json.key("headers");
  json.begin_array();
  for (const v1::Field& field : fields) write_pair(json, field.name(), field.value());
  json.end_array();
}

void write_empty_array(JsonWriter& json, std::string_view name) {
  json.key(name);
  json.begin_array();
  json.end_array();
}

std::string http_version(const std::string& version) { return "HTTP/" + version; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A query component: %XX and + undone; what is no escape stays.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                        hex_value(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void write_query(JsonWriter& json, std::string_view target) {
  json.key("queryString");
  json.begin_array();
  const std::size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    write_pair(json, decoded(pair.substr(0, equals)), decoded(value));
  }
  json.end_array();
}

void write_post_data(JsonWriter& json, const v1::Body& body) {
  if (body.content().empty()) return;
  json.key("postData");
  json.begin_object();
  json.member("mimeType", body.content_type());
  write_empty_array(json, "params");
  if (is_readable(body)) {
    json.member("text", body.content());
  } else {
    json.key("text");
    json.base64(body.content());
    json.member("comment", "text is base64: the body is not text");
  }
  json.end_object();
}

void write_request(JsonWriter& json, const v1::Request& request) {
  json.key("request");
  json.begin_object();
  json.member("method", request.method());
  json.member("url", fmt::format("{}://{}{}", request.scheme(), request.authority(),
                                 request.target()));
  json.member("httpVersion", http_version(request.version()));
  write_empty_array(json, "cookies");
  write_headers(json, request.fields());
  write_query(json, request.target());
  write_post_data(json, request.body());
  json.member("headersSize", kUnknown);
  json.member("bodySize", request.body().size());
  json.end_object();
}

void write_content(JsonWriter& json, const v1::Body& body) {
  json.key("content");
  json.begin_object();
  json.member("size", body.size());
  json.member("mimeType", body.content_type());
  if (!body.content().empty() && is_readable(body)) {
    json.member("text", body.content());
  } else if (!body.content().empty()) {
    json.key("text");
    json.base64(body.content());
    json.member("encoding", "base64");
  }
  const bool whole =
      body.capture() == v1::CAPTURE_COMPLETE || body.capture() == v1::CAPTURE_ABSENT;
  if (!whole)
    json.member("comment", fmt::format("{} ({})", capture_name(body.capture()), body.reason()));
  json.end_object();
}

std::string_view location(const v1::Response& response) {
  for (const v1::Field& field : response.fields())
    if (equals_ignoring_case(field.name(), "location")) return field.value();
  return {};
}

// Without a response, all zeros and empty: HAR has no way to leave it out.
void write_response(JsonWriter& json, const v1::Exchange& exchange) {
  const v1::Response& response = exchange.response();
  json.key("response");
  json.begin_object();
  json.member("status", std::uint64_t{response.status()});
  json.member("statusText", response.reason());
  json.member("httpVersion", exchange.has_response() ? http_version(response.version()) : "");
  write_empty_array(json, "cookies");
  write_headers(json, response.fields());
  write_content(json, response.body());
  json.member("redirectURL", location(response));
  json.member("headersSize", kUnknown);
  json.member("bodySize", response.body().size());
  json.end_object();
}

// HAR counts milliseconds of phases; the record, microseconds since the head was received.
void write_timings(JsonWriter& json, const v1::Timing& timing) {
  std::int64_t reached = 0;
  const auto phase = [&](std::string_view name, bool known, std::int64_t until) {
    json.key(name);
    json.decimal(known ? static_cast<double>(std::max<std::int64_t>(until - reached, 0)) / 1e3
                       : 0.0);
    if (known) reached = std::max(reached, until);
  };
  json.key("timings");
  json.begin_object();
  phase("connect", timing.has_connect(), timing.connect());
  phase("ssl", timing.has_tls(), timing.tls());
  phase("send", timing.has_request_sent(), timing.request_sent());
  phase("wait", timing.has_first_byte(), timing.first_byte());
  phase("receive", timing.has_last_byte(), timing.last_byte());
  json.end_object();
}

std::int64_t total_micros(const v1::Timing& timing) {
  return std::max({timing.connect(), timing.tls(), timing.request_sent(), timing.first_byte(),
                   timing.last_byte()});
}

void write_entry(JsonWriter& json, const v1::Exchange& exchange) {
  json.begin_object();
  json.member("startedDateTime", time_text(exchange.created_at()));
  json.key("time");
  json.decimal(static_cast<double>(total_micros(exchange.timing())) / 1e3);
  write_request(json, exchange.request());
  write_response(json, exchange);
  json.key("cache");
  json.begin_object();
  json.end_object();
  write_timings(json, exchange.timing());
  json.member("_segue_id", id_text(exchange.id()));
  json.member("_segue_outcome", outcome_name(exchange.outcome()));
  json.member("_segue_route", exchange.decision().route());
  json.member("_segue_backend", exchange.decision().backend());
  json.end_object();
}

}  // namespace

std::string exchange_har(const v1::Exchange& exchange) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("log");
  json.begin_object();
  json.member("version", "1.2");
  json.key("creator");
  json.begin_object();
  json.member("name", "segue");
  json.member("version", exchange.provenance().version());
  json.end_object();
  json.key("entries");
  json.begin_array();
  write_entry(json, exchange);
  json.end_array();
  json.end_object();
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace segue::cli
