#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/compare/markup.hpp"
#include "cli/compare/page_assets.hpp"
#include "cli/compare/page_route.hpp"
#include "cli/compare/report_view.hpp"
#include "cli/compare/wording.hpp"
#include "cli/figures.hpp"

namespace segue::cli {
namespace {

using compare::Report;
using compare::RouteReport;

std::string heading(const ReportView& view) {
  const std::string period =
      view.report.from == 0 ? std::string{} : period_text(view.report) + " &middot; ";
  return fmt::format(
      "<header>\n<h1>Primary and shadow compared</h1>\n<p class=\"meta\">{}<code>{}</code> "
      "&middot; "
      "rules: {}</p>\n</header>\n",
      period, escape_markup(view.source),
      view.rules.empty() ? "the defaults" : escape_markup(view.rules));
}

std::string tile(std::string_view css, std::string_view figure, std::string_view what) {
  return fmt::format("<div class=\"tile {}\"><b>{}</b><span>{}</span></div>\n", css, figure, what);
}

std::string tiles(const ReportView& view) {
  const Report& report = view.report;
  const std::uint64_t controls = controls_of(report);
  const auto failed = static_cast<std::uint64_t>(
      std::ranges::count_if(view.gates, [](const GateOutcome& gate) { return !gate.holds(); }));
  std::string text = "<div class=\"tiles\">\n";
  text += tile(report.findings() == 0 ? "good" : "bad", grouped(report.findings()),
               report.findings() == 1 ? "finding" : "findings");
  text += tile("",
               fmt::format("{} / {}", grouped(routes_with_findings(report)),
                           grouped(static_cast<std::uint64_t>(report.routes.size()))),
               "routes with findings");
  text += tile("", grouped(report.pairs()), "pairs compared");
  text += tile(controls == 0 ? "bad" : "", grouped(controls), "control pairs, for noise");
  if (!view.gates.empty())
    text += tile(failed == 0 ? "good" : "bad",
                 fmt::format("{} / {}", grouped(view.gates.size() - failed),
                             grouped(static_cast<std::uint64_t>(view.gates.size()))),
                 "gates hold");
  return text + "</div>\n";
}

std::string gates_table(const std::vector<GateOutcome>& gates) {
  if (gates.empty()) return {};
  std::string rows;
  for (const GateOutcome& gate : gates) {
    std::string failures;
    for (const std::string& failure : gate.failures)
      failures += fmt::format("<div>{}</div>", escape_markup(failure));
    rows += fmt::format(
        "<tr><td><span class=\"badge {}\">{}</span></td><td><code>{}</code></td><td>{}</td></tr>\n",
        gate.holds() ? "good" : "bad", gate.holds() ? "holds" : "fails", escape_markup(gate.gate),
        failures);
  }
  return fmt::format(
      "<div class=\"card\"><div class=\"head\"><h2>Gates</h2></div>\n"
      "<table id=\"gates\"><tbody>\n{}</tbody></table></div>\n",
      rows);
}

std::string number_cell(double value, std::string_view shown) {
  return fmt::format("<td class=\"n\" data-value=\"{:.6f}\">{}</td>", value, shown);
}

std::string latency_cell(std::int64_t primary, std::int64_t shadow) {
  const double ratio =
      primary <= 0 ? 0 : static_cast<double>(shadow) / static_cast<double>(primary);
  return number_cell(ratio, ratio_text(primary, shadow));
}

std::string overview_row(const RouteReport& route, std::size_t number) {
  const std::string name = escape_markup(route.route);
  std::string cells =
      fmt::format("<td class=\"route\" data-value=\"{}\"><a href=\"#route-{}\">{}</a></td>", name,
                  number, name);
  cells += fmt::format("<td data-value=\"{}\">{}</td>", route.findings(), page_badge(route));
  cells += number_cell(route.match.value(), percent_text(route.match));
  cells += fmt::format("<td data-value=\"{:.6f}\">{}</td>", route.match.value(),
                       page_bar(route.match, 1, "whole"));
  cells += number_cell(static_cast<double>(route.pairs), grouped(route.pairs));
  cells += number_cell(static_cast<double>(route.controls), grouped(route.controls));
  cells += latency_cell(route.primary.p50, route.shadow.p50);
  cells += latency_cell(route.primary.p99, route.shadow.p99);
  return fmt::format("<tr>{}</tr>\n", cells);
}

std::string overview(const std::vector<RouteReport>& routes) {
  std::string rows;
  for (std::size_t i = 0; i < routes.size(); ++i) rows += overview_row(routes[i], i + 1);
  return fmt::format(
      "<div class=\"card scroll\"><table class=\"sortable\" id=\"overview\"><thead><tr>"
      "<th scope=\"col\">Route</th><th scope=\"col\">Findings</th><th scope=\"col\" "
      "class=\"n\">Match"
      "</th><th scope=\"col\">95 % interval</th><th scope=\"col\" class=\"n\">Pairs</th>"
      "<th scope=\"col\" class=\"n\">Controls</th><th scope=\"col\" class=\"n\">p50</th>"
      "<th scope=\"col\" class=\"n\">p99</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
      rows);
}

// What only the script can do is shown by the script alone.
constexpr std::string_view kTools =
    "<div class=\"tools\" hidden><input type=\"search\" placeholder=\"Filter by route, field or "
    "value  "
    "( / )\" aria-label=\"Filter by route, field or value\"><output></output>"
    "<select aria-label=\"Order of fields\"><option value=\"signal\">by signal</option>"
    "<option value=\"raw\">by share of pairs</option><option value=\"name\">by "
    "name</option></select>"
    "<button type=\"button\" data-open=\"yes\">Open all</button>"
    "<button type=\"button\" data-open=\"no\">Close all</button></div>\n";

std::string rest(const Report& report) {
  std::string rows;
  const auto row = [&rows](std::string_view what, std::uint64_t count) {
    rows += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td></tr>\n", what, grouped(count));
  };
  if (report.unpaired_primaries != 0)
    row("Primaries whose shadow was sent, without a record of it here", report.unpaired_primaries);
  if (report.unpaired_others != 0)
    row("Shadows and controls without their primary", report.unpaired_others);
  for (const auto& [reason, count] : report.not_shadowed)
    row(fmt::format("Not shadowed: {}", escape_markup(not_shadowed_text(reason))), count);
  if (rows.empty()) return {};
  return fmt::format(
      "<div class=\"card\"><div class=\"head\"><h2>Not in the comparison</h2></div>\n"
      "<table id=\"rest\"><tbody>\n{}</tbody></table></div>\n",
      rows);
}

// What needs a look comes first.
std::vector<RouteReport> by_need(std::vector<RouteReport> routes) {
  std::ranges::sort(routes, [](const RouteReport& a, const RouteReport& b) {
    if (a.findings() != b.findings()) return a.findings() > b.findings();
    if (doubts(a).empty() != doubts(b).empty()) return doubts(b).empty();
    return a.route < b.route;
  });
  return routes;
}

std::string title(const Report& report) {
  return report.findings() == 0 ? std::string("No findings")
                                : number_of(report.findings(), "finding");
}

}  // namespace

std::string report_page(const ReportView& view) {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"seguectl compare\">\n"
      "<title>{}: primary and shadow "
      "compared</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      page_policy(), title(view.report), kPageStyle);
  const std::vector<RouteReport> routes = by_need(view.report.routes);
  text += heading(view) + tiles(view) + gates_table(view.gates) + overview(routes);
  text += kTools;
  for (std::size_t i = 0; i < routes.size(); ++i) text += page_route(routes[i], i + 1, view.source);
  text += rest(view.report);
  return text + fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", kPageScript);
}

}  // namespace segue::cli
