#include "tests/cli/compare_report_sample.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace segue::test {
namespace {

using cli::ReportView;
using compare::DifferenceKind;
using compare::Example;
using compare::FieldReport;
using compare::Judgement;
using compare::Part;
using compare::RouteReport;
using compare::Share;

constexpr std::int64_t kTime = 1'763'715'600'000'000;  // 2025-11-21T09:00:00Z

std::string id(int n) {
  return fmt::format("0199a5b2-7c40-7{:03}-8000-00000000{:04x}", n, n * 257);
}

struct Field {
  Part part;
  std::string name;
  DifferenceKind kind;
  Judgement judgement;
  Share raw;
  Share noise;
  std::vector<Example> examples;
};

FieldReport report_of(const Field& field) {
  FieldReport report;
  report.part = field.part;
  report.field = field.name;
  report.kind = field.kind;
  report.judgement = field.judgement;
  report.raw = field.raw;
  report.noise = field.noise;
  report.examples = field.examples;
  return report;
}

RouteReport search_read() {
  RouteReport route;
  route.route = "search-read";
  route.pairs = 12'480;
  route.controls = 250;
  route.same = 8'911;
  route.noise_only = 3'204;
  route.different = 331;
  route.credentials = 4;
  route.incomparable = {{"truncated", 21}, {"no response", 9}};
  route.hidden = {{"$.payment.card", 412}};
  route.min_pairs = 200;
  route.enough = true;
  route.match = {12'115, 12'446};
  route.primary = {12'480, 4'200, 18'700, 41'000};
  route.shadow = {12'471, 3'100, 15'900, 63'000};
  const std::vector<Field> fields{
      {Part::body,
       "$.items[*].price",
       DifferenceKind::type,
       Judgement::finding,
       {249, 12'446},
       {0, 250},
       {{id(1), id(2), "$.items[3].price", "\"12.50\"", "12.5"},
        {id(3), id(4), "$.items[0].price", "\"8.00\"", "8"}}},
      {Part::status,
       "",
       DifferenceKind::value,
       Judgement::finding,
       {61, 12'446},
       {0, 250},
       {{id(5), id(6), "", "404", "200"}}},
      {Part::body,
       "$.facets.brand",
       DifferenceKind::missing,
       Judgement::finding,
       {17, 12'446},
       {0, 250},
       {{id(7), id(8), "$.facets.brand", "[\"Acme\",\"Duo\",\"Émile & fils\"]", ""}}},
      {Part::header,
       "cache-control",
       DifferenceKind::value,
       Judgement::finding,
       {9, 12'446},
       {0, 250},
       {{id(9), id(10), "cache-control", "private, max-age=0, must-revalidate",
         "private, max-age=60, must-revalidate"}}},
      {Part::body,
       "$.items[*].stock",
       DifferenceKind::value,
       Judgement::uncertain,
       {6, 12'446},
       {1, 250},
       {{id(11), id(12), "$.items[1].stock", "14", "13"}}},
      {Part::body,
       "$.generated_at",
       DifferenceKind::value,
       Judgement::noise,
       {12'446, 12'446},
       {250, 250},
       {{id(13), id(14), "$.generated_at", "\"2026-11-21T09:00:00.120Z\"",
         "\"2026-11-21T09:00:00.181Z\""}}},
      {Part::header,
       "x-trace",
       DifferenceKind::value,
       Judgement::noise,
       {3'102, 12'446},
       {63, 250},
       {{id(15), id(16), "x-trace", "a91f03", "77be10"}}}};
  for (const Field& field : fields) route.fields.push_back(report_of(field));
  return route;
}

RouteReport geo() {
  RouteReport route;
  route.route = "geo";
  route.pairs = route.same = 4'000;
  route.controls = 80;
  route.min_pairs = 200;
  route.enough = true;
  route.match = {4'000, 4'000};
  route.primary = {4'000, 900, 1'800, 2'600};
  route.shadow = {4'000, 700, 1'500, 2'400};
  return route;
}

RouteReport checkout() {
  RouteReport route;
  route.route = "checkout-status";
  route.pairs = 14;
  route.same = 12;
  route.different = 2;
  route.min_pairs = 200;
  route.match = {12, 14};
  route.primary = {14, 1'250'000, 2'310'000, 2'310'000};
  route.shadow = {14, 840'000, 1'100'000, 1'100'000};
  route.fields.push_back(report_of({Part::body,
                                    "$.steps",
                                    DifferenceKind::length,
                                    Judgement::uncertain,
                                    {2, 14},
                                    {0, 0},
                                    {{id(17), id(18), "$.steps", "3 elements", "4 elements"}}}));
  return route;
}

}  // namespace

ReportView shop_report() {
  ReportView view;
  view.report.routes = {checkout(), geo(), search_read()};
  view.report.unpaired_primaries = 3;
  view.report.unpaired_others = 2;
  view.report.not_shadowed = {{"skipped_sampling", 140'211}, {"skipped_in_flight", 17}};
  view.report.from = kTime;
  view.report.until = kTime + 3'600'000'000;
  view.source = "journal:data/journal";
  view.rules = "segue.yaml";
  view.gates = {
      {"match>=90%", {}},
      {"p99<=1.2x", {"search-read: p99 1.54x (63.0 ms against 41.0 ms), wanted at most 1.2x"}}};
  return view;
}

ReportView hostile_report() {
  const std::string hostile = kHostile;
  const std::string octets("\x01\x1b[31m\x7f\xff\xc3(\xef\xbf\xbe\0end", 17);
  RouteReport route;
  route.route = hostile;
  route.pairs = 1'000;
  route.controls = 100;
  route.different = 500;
  route.min_pairs = 200;
  route.enough = true;
  route.match = {500, 1'000};
  route.incomparable = {{hostile, 1}};
  route.hidden = {{hostile, 1}};
  for (const Judgement judgement : {Judgement::finding, Judgement::uncertain, Judgement::noise})
    for (const std::string& text : {hostile, octets})
      route.fields.push_back(report_of({Part::body,
                                        text,
                                        DifferenceKind::value,
                                        judgement,
                                        {500, 1'000},
                                        {0, 100},
                                        {{id(1), id(2), text, text, octets}}}));
  ReportView view;
  view.report.routes = {route};
  view.report.not_shadowed = {{hostile, 1}};
  view.report.from = view.report.until = kTime;
  view.source = "journal:" + hostile;
  view.rules = hostile;
  view.gates = {{"match>=99%", {hostile + octets}}};
  return view;
}

}  // namespace segue::test
