#include "cli/curl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"
#include "exchange/head.hpp"
#include "recorder/redaction/header_rules.hpp"
#include "recorder/utf8.hpp"

namespace segue::cli {
namespace {

// A comment must stay on its line.
std::string comment(std::string_view text) { return fmt::format("# {}\n", printable(text)); }

// What curl makes itself, or what belonged to one connection.
bool is_curls_own(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kNames{
      "host",       "content-length", "transfer-encoding", "connection", "keep-alive",
      "te",         "trailer",        "upgrade",           "expect"};
  return std::ranges::any_of(
      kNames, [name](std::string_view own) { return equals_ignoring_case(own, name); });
}

bool has_field(const v1::Request& request, std::string_view name) {
  return std::ranges::any_of(request.fields(), [name](const v1::Field& field) {
    return equals_ignoring_case(field.name(), name);
  });
}

// Whether a terminal shows it and a shell passes it on unchanged.
bool is_plain(std::string_view body) {
  return recorder::is_utf8(body) && printable(body, Lines::keep) == body;
}

// Names that were masked (their value says so) or dropped, from the list of redactions.
bool is_redacted(const v1::Exchange& exchange, std::string_view name) {
  return std::ranges::any_of(exchange.redactions(), [name](const v1::Redaction& redaction) {
    const std::string_view rule = redaction.rule();
    constexpr std::string_view kHeader = "header:";
    return redaction.part() == v1::Redaction::REQUEST && rule.starts_with(kHeader) &&
           equals_ignoring_case(rule.substr(kHeader.size()), name);
  });
}

std::string comments(const v1::Exchange& exchange) {
  std::string text = comment(fmt::format("exchange {}", id_text(exchange.id())));
  for (const v1::Redaction& redaction : exchange.redactions())
    if (redaction.part() == v1::Redaction::REQUEST)
      text += comment(fmt::format("left out, because it is redacted: {}", redaction.rule()));
  const v1::Body& body = exchange.request().body();
  const bool whole =
      body.capture() == v1::CAPTURE_COMPLETE || body.capture() == v1::CAPTURE_ABSENT;
  if (!whole)
    text += comment(fmt::format("the body is {} ({}): {} of {} bytes are on record",
                                capture_name(body.capture()), body.reason(),
                                body.content().size(), body.size()));
  if (body.coding_undone()) text += comment("the body is on record decoded");
  return text;
}

void add_headers(const v1::Exchange& exchange, std::vector<std::string>& arguments) {
  const v1::Request& request = exchange.request();
  for (const v1::Field& field : request.fields()) {
    if (is_curls_own(field.name()) || is_redacted(exchange, field.name())) continue;
    if (field.value().empty())
      arguments.push_back("-H " + shell_quoted(field.name() + ";"));  // curl's way to send an empty one
    else
      arguments.push_back("-H " + shell_quoted(field.name() + ": " + field.value()));
  }
  for (const std::string_view name : {"User-Agent", "Accept", "Content-Type"})
    if (!has_field(request, name) &&
        (name != "Content-Type" || !request.body().content().empty()))
      arguments.push_back("-H " + shell_quoted(fmt::format("{}:", name)));  // not curl's own one
}

std::string url(const v1::Request& request) {
  const std::string path = request.target().starts_with('/') ? request.target() : "/";
  return fmt::format("{}://{}{}", request.scheme().empty() ? "http" : request.scheme(),
                     request.authority(), path);
}

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c != '\0')
      out += c;
  }
  return out + "'";
}

std::string exchange_curl(const v1::Exchange& exchange) {
  const v1::Request& request = exchange.request();
  const std::string& body = request.body().content();
  std::vector<std::string> arguments{"curl --globoff --path-as-is"};
  if (request.version() == "1.0") arguments.push_back("--http1.0");
  if (request.method() == "HEAD" && body.empty())
    arguments.push_back("--head");
  else if (request.method() != "GET" || !body.empty())
    arguments.push_back("--request " + shell_quoted(request.method()));
  if (!request.target().starts_with('/'))
    arguments.push_back("--request-target " + shell_quoted(request.target()));
  add_headers(exchange, arguments);
  std::string before;
  if (!body.empty() && is_plain(body)) {
    arguments.push_back("--data-raw " + shell_quoted(body));
  } else if (!body.empty()) {
    JsonWriter(before).base64(body);
    before = fmt::format("printf %s {} | base64 -d |\n", before);
    arguments.push_back("--data-binary @-");
  }
  arguments.push_back(shell_quoted(url(request)));
  return fmt::format("{}{}{}\n", comments(exchange), before, fmt::join(arguments, " \\\n  "));
}

}  // namespace segue::cli
