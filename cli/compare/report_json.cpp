#include "cli/compare/report_view.hpp"
#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"

namespace segue::cli {
namespace {

using compare::FieldReport;
using compare::Latency;
using compare::RouteReport;
using compare::Share;

void write_share(JsonWriter& json, std::string_view name, const Share& share) {
  json.key(name);
  json.begin_object();
  json.member("count", share.count);
  json.member("of", share.of);
  json.key("percent");
  if (share.of == 0)
    json.null();
  else
    json.decimal(share.value() * 100);
  json.key("low_percent");
  json.decimal(share.low() * 100);
  json.key("high_percent");
  json.decimal(share.high() * 100);
  json.end_object();
}

void write_latency(JsonWriter& json, std::string_view name, const Latency& latency) {
  json.key(name);
  json.begin_object();
  json.member("count", latency.count);
  json.member("p50", latency.p50);
  json.member("p95", latency.p95);
  json.member("p99", latency.p99);
  json.end_object();
}

void write_counts(JsonWriter& json, std::string_view name,
                  const std::map<std::string, std::uint64_t>& counts) {
  json.key(name);
  json.begin_object();
  for (const auto& [key, count] : counts) json.member(key, count);
  json.end_object();
}

void write_examples(JsonWriter& json, const FieldReport& field) {
  json.key("examples");
  json.begin_array();
  for (const compare::Example& example : field.examples) {
    json.begin_object();
    json.member("primary", example.primary);
    json.member("shadow", example.other);
    json.octets("path", example.path);
    json.octets("left", example.left);
    json.octets("right", example.right);
    json.end_object();
  }
  json.end_array();
}

void write_field(JsonWriter& json, const FieldReport& field) {
  json.begin_object();
  json.member("part", compare::name_of(field.part));
  json.octets("field", field.field);
  json.member("kind", compare::name_of(field.kind));
  json.member("judgement", compare::name_of(field.judgement));
  write_share(json, "raw", field.raw);
  write_share(json, "noise", field.noise);
  json.key("signal_percent");
  json.decimal(field.signal() * 100);
  write_examples(json, field);
  json.end_object();
}

void write_route(JsonWriter& json, const RouteReport& route) {
  json.begin_object();
  json.member("route", route.route);
  json.member("pairs", route.pairs);
  json.member("controls", route.controls);
  json.member("controls_not_compared", route.controls_not_compared);
  json.member("min_pairs", route.min_pairs);
  json.key("enough");
  json.boolean(route.enough);
  json.member("same", route.same);
  json.member("noise_only", route.noise_only);
  json.member("different", route.different);
  json.member("over_bounds", route.over_bounds);
  json.member("credentials", route.credentials);
  write_counts(json, "incomparable", route.incomparable);
  write_counts(json, "hidden", route.hidden);
  write_share(json, "match", route.match);
  json.member("findings", route.findings());
  json.key("latency_us");
  json.begin_object();
  write_latency(json, "primary", route.primary);
  write_latency(json, "shadow", route.shadow);
  json.end_object();
  json.key("fields");
  json.begin_array();
  for (const FieldReport& field : route.fields) write_field(json, field);
  json.end_array();
  json.end_object();
}

void write_gates(JsonWriter& json, const std::vector<GateOutcome>& gates) {
  json.key("gates");
  json.begin_array();
  for (const GateOutcome& gate : gates) {
    json.begin_object();
    json.member("gate", gate.gate);
    json.key("holds");
    json.boolean(gate.holds());
    json.key("failures");
    json.begin_array();
    for (const std::string& failure : gate.failures) json.text(failure);
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_time(JsonWriter& json, std::string_view name, std::int64_t unix_micros) {
  json.key(name);
  if (unix_micros == 0)
    json.null();
  else
    json.text(time_text(unix_micros));
}

}  // namespace

std::string report_json(const ReportView& view) {
  const compare::Report& report = view.report;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.member("source", view.source);
  json.key("rules");
  if (view.rules.empty())
    json.null();
  else
    json.text(view.rules);
  write_time(json, "from", report.from);
  write_time(json, "until", report.until);
  json.member("pairs", report.pairs());
  json.member("findings", report.findings());
  write_gates(json, view.gates);
  json.key("unpaired");
  json.begin_object();
  json.member("primaries", report.unpaired_primaries);
  json.member("others", report.unpaired_others);
  json.end_object();
  write_counts(json, "not_shadowed", report.not_shadowed);
  json.key("routes");
  json.begin_array();
  for (const RouteReport& route : report.routes) write_route(json, route);
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace segue::cli
