#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/diagnostics.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/routes.hpp"
#include "cli/word_option.hpp"
#include "exchange/error.hpp"
#include "routing/escapes.hpp"
#include "routing/explain.hpp"

namespace segue::cli {
namespace {

using routing::Decision;
using routing::Explanation;
using routing::Standing;

// What was asked, owned, with a head that points into it.
struct Request {
  std::string method;
  std::string target;
  std::string scheme = "http";
  std::string host = "localhost";
  std::vector<std::pair<std::string, std::string>> headers;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Throws StartupError.
Request parse_request(const std::string& line, const std::vector<std::string>& headers) {
  Request request;
  const auto space = line.find(' ');
  if (space == 0 || space == std::string::npos || space + 1 == line.size())
    throw StartupError(fmt::format("'{}' is not a request such as 'GET /searches/42'", line));
  request.method = line.substr(0, space);
  const auto url = routing::split_absolute(trim(std::string_view(line).substr(space + 1)));
  request.target = url.target;
  if (!url.scheme.empty()) {
    request.scheme = url.scheme;
    request.host = url.authority;
  }
  for (const std::string& header : headers) {
    const auto colon = header.find(':');
    if (colon == 0 || colon == std::string::npos)
      throw StartupError(fmt::format("-H '{}' is not 'name: value'", header));
    const std::string name(trim(std::string_view(header).substr(0, colon)));
    std::string value(trim(std::string_view(header).substr(colon + 1)));
    if (equals_ignoring_case(name, "host"))
      request.host = std::move(value);
    else
      request.headers.emplace_back(name, std::move(value));
  }
  return request;
}

const config::RouteSettings* find_route(const config::Settings& settings, std::string_view name) {
  const auto route =
      std::find_if(settings.routes.begin(), settings.routes.end(),
                   [&](const auto& candidate) { return candidate.rule.name == name; });
  return route == settings.routes.end() ? nullptr : &*route;
}

std::string heading_of(const Explanation& explanation) {
  if (explanation.verdict != Decision::Verdict::routed)
    return routing::text_of(explanation.verdict);
  std::string text = fmt::format("{} -> {}", explanation.winner, explanation.target);
  if (explanation.bucket >= 0)
    text += fmt::format(" (bucket {}: {})", explanation.bucket, explanation.backend);
  return text;
}

// What becomes of a copy: "new, 20% of requests"; empty where the route has no shadow.
std::string shadow_of(const Explanation& explanation, const config::RouteSettings* route) {
  switch (explanation.shadow) {
    case Decision::Shadow::none:
      break;
    case Decision::Shadow::chosen:
      return fmt::format("{}, {:g}% of requests", explanation.shadow_backend,
                         route != nullptr && route->shadow ? route->shadow->share / 100.0 : 0);
    case Decision::Shadow::unsafe_method:
      return "none: the method is not safe and the route does not state `writes`";
    case Decision::Shadow::same_backend:
      return fmt::format("none: the request goes to {} already", explanation.backend);
  }
  return "";
}

// Two columns, as wide as the longest left one.
std::string as_text(const Explanation& explanation, const config::Settings& settings,
                    std::string_view target, const Paint& paint) {
  struct Line {
    std::string left, right;
  };
  std::vector<Line> lines{{heading_of(explanation), ""}};
  const auto* route = find_route(settings, explanation.winner);
  if (route != nullptr) lines.front().right = fmt::format("{}:{}", route->file, route->line);
  for (const Standing& standing : explanation.beaten)
    lines.push_back({"  beats " + standing.route, standing.reason});
  for (const Standing& standing : explanation.near_misses)
    lines.push_back({"  near miss: " + standing.route, standing.reason});
  for (const auto& [name, value] : explanation.parameters)
    lines.push_back({"  parameter " + name, value});
  if (!explanation.location.empty()) lines.push_back({"  location", explanation.location});
  if (!explanation.fallback.empty()) lines.push_back({"  fallback", explanation.fallback});
  if (!explanation.upstream_target.empty() && explanation.upstream_target != target)
    lines.push_back({"  backend sees", explanation.upstream_target});
  if (const auto shadow = shadow_of(explanation, route); !shadow.empty())
    lines.push_back({"  shadow", shadow});
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.left.size());
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string left = printable(fmt::format("{:<{}}", lines[i].left, width));
    text += fmt::format("{}  {}", i == 0 ? paint.strong(left) : left, printable(lines[i].right));
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

void write_standings(JsonWriter& json, std::string_view name,
                     const std::vector<Standing>& standings) {
  json.key(name);
  json.begin_array();
  for (const Standing& standing : standings) {
    json.begin_object();
    json.member("route", standing.route);
    json.member("reason", standing.reason);
    json.end_object();
  }
  json.end_array();
}

// Nothing where the route has no shadow.
void write_shadow(JsonWriter& json, const Explanation& explanation) {
  switch (explanation.shadow) {
    case Decision::Shadow::none:
      return;
    case Decision::Shadow::chosen:
      return json.member("shadow", explanation.shadow_backend);
    case Decision::Shadow::unsafe_method:
      return json.member("no_shadow", "unsafe_method");
    case Decision::Shadow::same_backend:
      return json.member("no_shadow", "same_backend");
  }
}

void write_winner(JsonWriter& json, const Explanation& explanation,
                  const config::Settings& settings) {
  json.member("verdict", "routed");
  json.member("route", explanation.winner);
  if (const auto* route = find_route(settings, explanation.winner)) {
    json.member("file", route->file);
    json.member("line", std::uint64_t{route->line});
  }
  json.member("to", explanation.target);
  if (!explanation.backend.empty()) json.member("backend", explanation.backend);
  if (!explanation.location.empty()) json.member("location", explanation.location);
  json.member("bucket", std::int64_t{explanation.bucket});
  if (!explanation.fallback.empty()) json.member("fallback", explanation.fallback);
  write_shadow(json, explanation);
  json.member("path", explanation.path);
  if (!explanation.upstream_target.empty())
    json.member("upstream_target", explanation.upstream_target);
  json.key("parameters");
  json.begin_object();
  for (const auto& [key, value] : explanation.parameters) json.member(key, value);
  json.end_object();
}

std::string as_json(const Explanation& explanation, const config::Settings& settings) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  if (explanation.verdict == Decision::Verdict::routed)
    write_winner(json, explanation, settings);
  else
    json.member("verdict", routing::text_of(explanation.verdict));
  write_standings(json, "beats", explanation.beaten);
  write_standings(json, "near_misses", explanation.near_misses);
  json.end_object();
  return text + "\n";
}

}  // namespace

RoutesExplainCommand::RoutesExplainCommand(CLI::App& routes)
    : command_(routes.add_subcommand("explain", "why a request goes where it goes")) {
  add_configuration_option(*command_, config_);
  command_->add_option("REQUEST", request_, "for instance 'GET /searches/42'")->required();
  command_->add_option("-H,--header", headers_, "'name: value', may be repeated")
      ->type_name("HEADER")
      ->allow_extra_args(false);
  add_word_option<RoutesForm>(*command_, "-o,--output", form_,
                              {{"text", RoutesForm::text}, {"json", RoutesForm::json}},
                              "form of the output");
  add_colour_option(*command_, colour_);
}

int RoutesExplainCommand::run() {
  const Request request = parse_request(request_, headers_);
  const config::LoadResult loaded = require_configuration(config_, colour_, config::Tests::skip);
  std::vector<Field> fields;
  for (const auto& [name, value] : request.headers) fields.push_back({name, value});
  const HeadView head{request.method, request.scheme, request.host, request.target, fields};
  const Explanation explanation = routing::explain(*loaded.table, head, {"127.0.0.1"});
  if (form_ == RoutesForm::json)
    fmt::print("{}", as_json(explanation, *loaded.settings));
  else
    fmt::print("{}",
               as_text(explanation, *loaded.settings, request.target, Paint(colour_, stdout)));
  return explanation.verdict == Decision::Verdict::routed ? kClean : kFound;
}

}  // namespace segue::cli
