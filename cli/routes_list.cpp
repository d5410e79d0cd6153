#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/diagnostics.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/routes.hpp"
#include "cli/word_option.hpp"
#include "routing/listing.hpp"

namespace segue::cli {
namespace {

using routing::ListedRoute;

struct Row {
  ListedRoute listed;
  std::optional<gateway::ShadowSettings> shadow;
  std::string file;
  unsigned line = 0;
};

std::vector<Row> rows_of(const config::LoadResult& loaded) {
  std::vector<Row> rows;
  for (ListedRoute& listed :
       routing::list_routes(*loaded.table, config::test_cases(*loaded.settings))) {
    const auto& routes = loaded.settings->routes;
    const auto route = std::find_if(routes.begin(), routes.end(), [&](const auto& candidate) {
      return candidate.rule.name == listed.name;
    });
    Row row{.listed = std::move(listed), .shadow = {}, .file = {}};
    if (route != routes.end()) {
      row.shadow = route->shadow;
      row.file = route->file;
      row.line = route->line;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// "legacy 90 / new 10, fallback legacy, shadow other 20%"
std::string target_of(const Row& row) {
  std::string text = row.listed.target;
  if (!row.listed.fallback.empty()) text += fmt::format(", fallback {}", row.listed.fallback);
  if (row.shadow)
    text += fmt::format(", shadow {} {:g}%", row.listed.shadow, row.shadow->share / 100.0);
  return text;
}

std::string as_table(const std::vector<Row>& rows, const Paint& paint) {
  std::size_t name = 5, matcher = 7, target = 2;
  for (const Row& row : rows) {
    name = std::max(name, row.listed.name.size());
    matcher = std::max(matcher, row.listed.matcher.size());
    target = std::max(target, target_of(row).size());
  }
  std::string text = paint.faint(fmt::format("  # {:<{}}  {:<{}}  {:<{}}  TESTS  WHERE", "ROUTE",
                                             name, "MATCHES", matcher, "TO", target)) +
                     "\n";
  for (const Row& row : rows)
    text += fmt::format("{:>3} {:<{}}  {:<{}}  {:<{}}  {:>5}  {}:{}\n", row.listed.order,
                        row.listed.name, name, row.listed.matcher, matcher, target_of(row),
                        target, row.listed.tests, row.file, row.line);
  return printable(text);
}

void write_shadow(JsonWriter& json, const Row& row) {
  if (!row.shadow) return;
  json.key("shadow");
  json.begin_object();
  json.member("to", row.listed.shadow);
  json.key("percent");
  json.decimal(row.shadow->share / 100.0);
  json.key("control_percent");
  json.decimal(row.shadow->control_share / 100.0);
  json.end_object();
}

std::string as_json(const std::vector<Row>& rows, std::string_view version) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.member("config_version", version);
  json.key("routes");
  json.begin_array();
  for (const Row& row : rows) {
    json.begin_object();
    json.member("order", std::uint64_t{row.listed.order});
    json.member("route", row.listed.name);
    json.member("matches", row.listed.matcher);
    json.member("to", row.listed.target);
    if (!row.listed.fallback.empty()) json.member("fallback", row.listed.fallback);
    write_shadow(json, row);
    json.member("tests", std::uint64_t{row.listed.tests});
    json.member("file", row.file);
    json.member("line", std::uint64_t{row.line});
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + "\n";
}

}  // namespace

RoutesListCommand::RoutesListCommand(CLI::App& routes)
    : command_(routes.add_subcommand("list", "all routes in their effective order")) {
  add_configuration_option(*command_, config_);
  add_word_option<RoutesForm>(*command_, "-o,--output", form_,
                              {{"text", RoutesForm::text}, {"json", RoutesForm::json}},
                              "form of the output");
  add_colour_option(*command_, colour_);
}

int RoutesListCommand::run() {
  const config::LoadResult loaded = require_configuration(config_, colour_, config::Tests::skip);
  const std::vector<Row> rows = rows_of(loaded);
  if (form_ == RoutesForm::json)
    fmt::print("{}", as_json(rows, loaded.table->version()));
  else
    fmt::print("{}", as_table(rows, Paint(colour_, stdout)));
  return kClean;
}

}  // namespace segue::cli
