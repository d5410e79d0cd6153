#include "cli/exchange_text.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "exchange/head.hpp"
#include "exchange/id.hpp"
#include "recorder/utf8.hpp"

namespace segue::cli {
namespace {

// The enumerators' names less their prefix, so that the schema is the one place that has them.
std::string_view without_prefix(std::string_view name, std::string_view prefix) {
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return name.empty() ? "UNKNOWN" : name;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  for (std::size_t at = 0; at + part.size() <= text.size(); ++at)
    if (equals_ignoring_case(text.substr(at, part.size()), part)) return true;
  return false;
}

// C1 controls, and the marks that reorder what a reader sees.
bool steers_terminal(std::string_view sequence) {
  if (sequence.size() == 2 && sequence[0] == '\xc2')
    return static_cast<unsigned char>(sequence[1]) < 0xa0;
  if (sequence.size() != 3 || sequence[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(sequence[1]);
  const auto third = static_cast<unsigned char>(sequence[2]);
  return (second == 0x80 && third >= 0xaa && third <= 0xae) ||
         (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

}  // namespace

std::string_view kind_name(v1::Kind kind) { return without_prefix(v1::Kind_Name(kind), "KIND_"); }

std::string_view outcome_name(v1::Outcome outcome) {
  return without_prefix(v1::Outcome_Name(outcome), "OUTCOME_");
}

std::string_view capture_name(v1::Capture capture) {
  return without_prefix(v1::Capture_Name(capture), "CAPTURE_");
}

std::string_view redaction_mode_name(v1::Redaction::Mode mode) {
  static constexpr std::array<std::string_view, 5> kNames{"unknown", "mask", "drop", "hash",
                                                          "encrypt"};
  return kNames[static_cast<std::size_t>(mode) < kNames.size() ? static_cast<std::size_t>(mode)
                                                               : 0];
}

std::string_view redaction_part_name(v1::Redaction::Part part) {
  static constexpr std::array<std::string_view, 7> kNames{
      "unknown", "request", "response", "decision", "client", "account", "trace"};
  return kNames[static_cast<std::size_t>(part) < kNames.size() ? static_cast<std::size_t>(part)
                                                               : 0];
}

std::string id_text(std::string_view raw) {
  const std::optional<ExchangeId> id = ExchangeId::from_bytes(raw);
  return id ? id->text() : std::string{};
}

std::string hex(std::string_view octets) {
  std::string text;
  for (const char c : octets)
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string time_text(std::int64_t unix_micros) {
  constexpr std::int64_t kSecond = 1'000'000;
  std::int64_t micros = unix_micros % kSecond;
  if (micros < 0) micros += kSecond;
  const time_t seconds = (unix_micros - micros) / kSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     micros);
}

bool is_text_type(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  if (type.size() >= 5 && equals_ignoring_case(type.substr(0, 5), "text/")) return true;
  return std::ranges::any_of(
      std::array<std::string_view, 7>{"json", "xml", "javascript", "ecmascript",
                                      "x-www-form-urlencoded", "graphql", "yaml"},
      [type](std::string_view part) { return contains_ignoring_case(type, part); });
}

bool is_readable(const v1::Body& body) {
  const std::string& coding = body.content_coding();
  const bool plain =
      coding.empty() || body.coding_undone() || equals_ignoring_case(coding, "identity");
  return plain && is_text_type(body.content_type()) && recorder::is_utf8(body.content());
}

std::string printable(std::string_view text, Lines lines) {
  std::string out;
  const auto escape = [&out](char c) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  };
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(recorder::utf8_sequence(text), 1);
    const std::string_view sequence = text.substr(0, length);
    text.remove_prefix(length);
    const char c = sequence.front();
    const bool kept_line = lines == Lines::keep && (c == '\n' || c == '\t');
    const bool control = (static_cast<unsigned char>(c) < 0x20 && !kept_line) || c == 0x7f;
    const bool broken = length == 1 && (static_cast<unsigned char>(c) & 0x80) != 0;
    if (control || broken || steers_terminal(sequence))
      std::ranges::for_each(sequence, escape);
    else
      out += sequence;
  }
  return out;
}

void join_finish(v1::Exchange& exchange, const v1::Exchange& finish) {
  if (exchange.outcome() == v1::OUTCOME_COMPLETED) exchange.set_outcome(finish.outcome());
  *exchange.mutable_finish() = finish.finish();
}

}  // namespace segue::cli
