#include "cli/compare/report_text.hpp"

#include <fmt/format.h>

#include <array>

#include "cli/compare/wording.hpp"
#include "cli/exchange_text.hpp"
#include "cli/figures.hpp"

namespace segue::cli {
namespace {

using compare::FieldReport;
using compare::Judgement;
using compare::Latency;
using compare::RouteReport;

std::string findings_mark(std::uint64_t findings, const Paint& paint) {
  return findings == 0 ? paint.good("no findings") : paint.error(number_of(findings, "finding"));
}

// "truncated 10, no response 2".
std::string counts_text(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", printable(name), grouped(count));
  return text;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t total = 0;
  for (const auto& [name, count] : counts) total += count;
  return total;
}

class RouteText {
 public:
  RouteText(const RouteReport& route, const Paint& paint, NoiseDetail noise)
      : route_(route), paint_(paint), noise_(noise) {}

  std::string text() {
    heading();
    figures();
    latency();
    for (const std::string& doubt : doubts(route_)) line(paint_.strong("! " + doubt));
    left_out();
    fields();
    return std::move(text_) + '\n';
  }

 private:
  void line(std::string_view content) { text_ += fmt::format("  {}\n", content); }
  void entry(std::string_view name, std::string_view content) {
    line(fmt::format("{:<9}{}", name, content));
  }

  void heading() {
    text_ += fmt::format("{}  {}\n", paint_.strong(printable(route_.route)),
                         findings_mark(route_.findings(), paint_));
  }

  void figures() {
    if (route_.match.of != 0)
      entry("match", fmt::format("{} of pairs ({}; 95 % interval {})",
                                 paint_.strong(percent_text(route_.match)),
                                 count_text(route_.match), interval_text(route_.match)));
    entry("pairs",
          fmt::format("{}: {} the same, {} with noise alone, {} different", grouped(route_.pairs),
                      grouped(route_.same), grouped(route_.noise_only), grouped(route_.different)));
    entry("controls", grouped(route_.controls));
  }

  void latency() {
    const Latency& a = route_.primary;
    const Latency& b = route_.shadow;
    if (a.count == 0 || b.count == 0) return;
    const auto row = [this](std::string_view name, const std::array<std::string, 3>& cells) {
      entry(name, fmt::format("{:>9} {:>9} {:>9}", cells[0], cells[1], cells[2]));
    };
    row("latency", {"p50", "p95", "p99"});
    row(" primary", {micros_text(a.p50), micros_text(a.p95), micros_text(a.p99)});
    row(" shadow", {micros_text(b.p50), micros_text(b.p95), micros_text(b.p99)});
    row(" ratio", {ratio_text(a.p50, b.p50), ratio_text(a.p95, b.p95), ratio_text(a.p99, b.p99)});
  }

  // Classes of their own: neither the same nor different.
  void left_out() {
    if (!route_.incomparable.empty())
      line(fmt::format("not comparable: {} ({})", grouped(sum(route_.incomparable)),
                       counts_text(route_.incomparable)));
    if (route_.credentials != 0)
      line(
          fmt::format("credentials: {} answered 401 or 403 by the shadow alone (expired or "
                      "stripped credentials)",
                      grouped(route_.credentials)));
    if (route_.over_bounds != 0)
      line(fmt::format("different for want of room: {} (too many fields to tell them apart)",
                       grouped(route_.over_bounds)));
    if (!route_.hidden.empty())
      line(fmt::format("hidden by redaction, not compared: {}", counts_text(route_.hidden)));
  }

  void fields() {
    section(Judgement::finding, {}, NoiseDetail::full);
    section(Judgement::uncertain, "too little is known to judge", NoiseDetail::full);
    section(Judgement::noise, "noise, not counted", noise_);
  }

  void section(Judgement judgement, std::string_view title, NoiseDetail detail) {
    bool titled = title.empty();
    for (const FieldReport& field : route_.fields) {
      if (field.judgement != judgement) continue;
      if (!titled) text_ += fmt::format("\n  {}\n", paint_.strong(title));
      titled = true;
      if (detail == NoiseDetail::full)
        full(field);
      else
        brief(field);
    }
  }

  std::string title(const FieldReport& field) const {
    return printable(field_title(field.part, field.field));
  }

  void brief(const FieldReport& field) {
    line(paint_.faint(fmt::format("- {}: {} ({} of pairs, {} of controls)", title(field),
                                  kind_text(field.kind), percent_text(field.raw),
                                  percent_text(field.noise))));
  }

  void full(const FieldReport& field) {
    const bool finding = field.judgement == Judgement::finding;
    text_ += fmt::format("\n  {} {}: {}\n", finding ? paint_.error("x") : "-",
                         paint_.strong(title(field)), kind_text(field.kind));
    line(fmt::format("  {} of pairs ({}; {}), {} of controls ({})",
                     paint_.strong(percent_text(field.raw)), count_text(field.raw),
                     interval_text(field.raw), percent_text(field.noise), count_text(field.noise)));
    if (!field.examples.empty()) example(field.examples.front());
  }

  // Both sides under each other, what differs in colour, ids for `show`.
  void example(const compare::Example& example) {
    const std::string left = printable(example.left);
    const std::string right = printable(example.right);
    const Contrast parts = contrast(left, right);
    if (!example.path.empty()) line(fmt::format("  at {}", printable(example.path)));
    line(fmt::format("  {} {}  {}{}{}", paint_.faint("primary"), example.primary, parts.before,
                     paint_.error(parts.left), parts.after));
    line(fmt::format("  {} {}  {}{}{}", paint_.faint("shadow "), example.other, parts.before,
                     paint_.good(parts.right), parts.after));
  }

  const RouteReport& route_;
  const Paint& paint_;
  const NoiseDetail noise_;
  std::string text_;
};

std::string heading(const ReportView& view, const Paint& paint) {
  std::string text = fmt::format(
      "{} of primary and shadow, {}, in {}\n", paint.strong(number_of(view.report.pairs(), "pair")),
      number_of(controls_of(view.report), "control pair"), printable(view.source));
  if (view.report.from != 0) text += period_text(view.report) + "; ";
  return text + (view.rules.empty() ? std::string("rules: the defaults\n\n")
                                    : fmt::format("rules: {}\n\n", printable(view.rules)));
}

std::string rest(const compare::Report& report) {
  std::string text;
  if (report.unpaired_primaries != 0)
    text += fmt::format("without their shadow: {} (sent, and no record of it here)\n",
                        number_of(report.unpaired_primaries, "primary exchange"));
  if (report.unpaired_others != 0)
    text += fmt::format("without their primary: {}\n",
                        number_of(report.unpaired_others, "shadow or control exchange"));
  if (!report.not_shadowed.empty())
    text +=
        fmt::format("not shadowed: {}\n", number_of(sum(report.not_shadowed), "primary exchange"));
  for (const auto& [reason, count] : report.not_shadowed)
    text += fmt::format("  {:>9} {}\n", grouped(count), printable(not_shadowed_text(reason)));
  return text.empty() ? text : text + '\n';
}

std::string gates_text(const std::vector<GateOutcome>& gates, const Paint& paint) {
  std::string text;
  for (const GateOutcome& gate : gates) {
    text +=
        fmt::format("{}  {}\n", gate.holds() ? paint.good("ok  ") : paint.error("FAIL"), gate.gate);
    for (const std::string& failure : gate.failures)
      text += fmt::format("      {}\n", printable(failure));
  }
  return text.empty() ? text : text + '\n';
}

std::string summary(const compare::Report& report, const Paint& paint) {
  const std::uint64_t routes = routes_with_findings(report);
  const std::string where = routes == 0 ? std::string{}
                                        : fmt::format(" in {} of {}", grouped(routes),
                                                      number_of(report.routes.size(), "route"));
  return fmt::format("{}{}, {} compared\n", findings_mark(report.findings(), paint), where,
                     number_of(report.pairs(), "pair"));
}

}  // namespace

std::string report_text(const ReportView& view, const Paint& paint, NoiseDetail noise) {
  std::string text = heading(view, paint);
  for (const RouteReport& route : view.report.routes) text += RouteText(route, paint, noise).text();
  text += rest(view.report) + gates_text(view.gates, paint);
  return text + summary(view.report, paint);
}

}  // namespace segue::cli
