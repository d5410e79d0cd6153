#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>

#include "gateway/access_log.hpp"

namespace segue::gateway {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Printable ASCII as it is; everything else by its octet, which JSON reads as the code point of
// that number.
void append_escaped(std::string& out, std::string_view text, std::string_view prefix) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7F && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += prefix;
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ",\"";
  out += name;
  out += "\":\"";
  append_escaped(out, value, "\\u00");
  out += '"';
}

// The raw query stays out: it is where secrets hide that nobody thought of.
std::string_view path_of(std::string_view target) {
  return target.substr(0, std::min(target.find('?'), target.size()));
}

std::tm utc(std::int64_t unix_micros) {
  const std::time_t seconds = unix_micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

std::string_view outcome_name(Outcome outcome) {
  static constexpr std::array<std::string_view, 8> kNames{
      "",
      "COMPLETED",
      "CLIENT_ABORTED",
      "UPSTREAM_CONNECT_FAILED",
      "UPSTREAM_RESET",
      "UPSTREAM_TIMEOUT",
      "REFUSED",
      "INTERRUPTED"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view header(const ExchangeView& exchange, std::string_view name) {
  return find_field(exchange.request.head.fields, name).value_or(std::string_view{});
}

}  // namespace

void append_json_line(const ExchangeView& exchange, std::int64_t duration_micros,
                      std::string& lines) {
  const std::tm at = utc(exchange.created_at);
  const HeadView& head = exchange.request.head;
  char id[ExchangeId::kTextLength];
  exchange.id.format(id);
  fmt::format_to(std::back_inserter(lines),
                 "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\",\"id\":\"{}\"",
                 at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec,
                 exchange.created_at % 1'000'000, std::string_view(id, sizeof id));
  append_member(lines, "client", exchange.client.address);
  append_member(lines, "method", head.method);
  append_member(lines, "scheme", head.scheme);
  append_member(lines, "host", head.authority);
  append_member(lines, "path", path_of(head.target));
  fmt::format_to(std::back_inserter(lines),
                 ",\"status\":{},\"duration_us\":{},\"request_bytes\":{},\"response_bytes\":{}",
                 exchange.response.status, duration_micros, exchange.request.body.size,
                 exchange.response.body.size);
  append_member(lines, "route", exchange.decision.route);
  append_member(lines, "template", exchange.decision.path_template);
  append_member(lines, "backend", exchange.decision.backend);
  append_member(lines, "endpoint", exchange.decision.endpoint);
  append_member(lines, "outcome", outcome_name(exchange.outcome));
  append_member(lines, "refusal", exchange.refusal);
  append_member(lines, "traceparent", header(exchange, "traceparent"));
  append_member(lines, "user_agent", header(exchange, "user-agent"));
  lines += "}\n";
}

void append_combined_line(const ExchangeView& exchange, std::string& lines) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm at = utc(exchange.created_at);
  const HeadView& head = exchange.request.head;
  const std::string_view address = exchange.client.address;
  lines += address.substr(0, std::min(address.rfind(':'), address.size()));
  fmt::format_to(std::back_inserter(lines), " - - [{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000] \"",
                 at.tm_mday, kMonths[static_cast<std::size_t>(at.tm_mon)], at.tm_year + 1900,
                 at.tm_hour, at.tm_min, at.tm_sec);
  append_escaped(lines, head.method, "\\x");
  lines += ' ';
  append_escaped(lines, path_of(head.target), "\\x");
  fmt::format_to(std::back_inserter(lines), " HTTP/1.{}\" {} {} \"",
                 exchange.request.version_minor, exchange.response.status,
                 exchange.response.body.size);
  const auto or_dash = [](std::string_view value) { return value.empty() ? "-" : value; };
  append_escaped(lines, or_dash(path_of(header(exchange, "referer"))), "\\x");
  lines += "\" \"";
  append_escaped(lines, or_dash(header(exchange, "user-agent")), "\\x");
  lines += "\"\n";
}

}  // namespace segue::gateway
