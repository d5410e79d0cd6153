#include "cli/compare/page_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <vector>

#include "cli/compare/markup.hpp"
#include "cli/compare/wording.hpp"
#include "cli/curl.hpp"
#include "cli/exchange_text.hpp"
#include "cli/figures.hpp"

namespace segue::cli {
namespace {

using compare::Example;
using compare::FieldReport;
using compare::Judgement;
using compare::Latency;
using compare::RouteReport;
using compare::Share;

constexpr int kBarWidth = 130;           // pixels
constexpr std::size_t kOpenAtFirst = 3;  // findings of a route that show their examples
constexpr double kLeastScale = 0.01;     // bars of less than a percent stay small

// As it may be pasted into a shell.
std::string as_argument(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+=-";
  const bool plain = text.find_first_not_of(kPlain) == std::string_view::npos;
  return plain ? std::string(text) : shell_quoted(text);
}

std::string counts_list(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}<code>{}</code>&nbsp;{}", text.empty() ? "" : ", ", escape_markup(name),
                        grouped(count));
  return text;
}

// One side of an example, what differs marked.
std::string example_row(std::string_view side, std::string_view css, const std::string& id,
                        const Contrast& parts, std::string_view differs) {
  const bool nothing = parts.before.empty() && differs.empty() && parts.after.empty();
  const std::string value =
      nothing ? std::string("<span class=\"nothing\">nothing</span>")
              : fmt::format("{}{}{}", escape_markup(parts.before),
                            differs.empty() ? std::string{}
                                            : fmt::format("<mark class=\"{}\">{}</mark>", css,
                                                          escape_markup(differs)),
                            escape_markup(parts.after));
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"id\">{}</td><td class=\"value\">{}</td></tr>", side,
      escape_markup(id), value);
}

std::string example_table(const Example& example) {
  const std::string left = printable(example.left);
  const std::string right = printable(example.right);
  const Contrast parts = contrast(left, right);
  const std::string caption =
      example.path.empty()
          ? std::string{}
          : fmt::format("<caption>at <code>{}</code></caption>", escape_markup(example.path));
  return fmt::format("<div class=\"example\"><table>{}<tbody>{}{}</tbody></table></div>\n", caption,
                     example_row("primary", "left", example.primary, parts, parts.left),
                     example_row("shadow", "right", example.other, parts, parts.right));
}

class RoutePage {
 public:
  RoutePage(const RouteReport& route, std::string_view source) : route_(route), source_(source) {}

  std::string text(std::size_t number) {
    out_ = fmt::format(
        "<section class=\"card route\" id=\"route-{}\" data-name=\"{}\">\n"
        "<div class=\"head\"><h2>{}</h2>{}</div>\n",
        number, escape_markup(route_.route), escape_markup(route_.route), page_badge(route_));
    add_doubts();
    figures();
    fields_of(Judgement::finding, "Findings");
    fields_of(Judgement::uncertain, "Too little is known to judge");
    noise();
    return std::move(out_) + "</section>\n";
  }

 private:
  void add_doubts() {
    const std::vector<std::string> said = doubts(route_);
    if (said.empty()) return;
    out_ += "<div class=\"doubts\">";
    for (const std::string& doubt : said) out_ += fmt::format("<p>{}</p>", escape_markup(doubt));
    out_ += "</div>\n";
  }

  void figures() {
    out_ += "<div class=\"figures\"><div>\n";
    if (route_.match.of != 0)
      out_ += fmt::format(
          "<p class=\"match\">{} <small>of pairs match</small></p>\n{}"
          "<p class=\"soft\">{}; 95 % interval {}</p>\n",
          percent_text(route_.match), page_bar(route_.match, 1, "whole"), count_text(route_.match),
          interval_text(route_.match));
    out_ += fmt::format("<p>{}: {} the same, {} with noise alone, {} different. {}.</p>\n",
                        number_of(route_.pairs, "pair"), grouped(route_.same),
                        grouped(route_.noise_only), grouped(route_.different),
                        number_of(route_.controls, "control pair"));
    left_out();
    out_ += "</div>\n";
    latency();
    out_ += "</div>\n";
  }

  void left_out() {
    if (!route_.incomparable.empty())
      out_ += fmt::format("<p>Not comparable: {}.</p>\n", counts_list(route_.incomparable));
    if (route_.credentials != 0)
      out_ += fmt::format(
          "<p>Credentials: {} answered 401 or 403 by the shadow alone (expired or "
          "stripped credentials).</p>\n",
          grouped(route_.credentials));
    if (route_.over_bounds != 0)
      out_ += fmt::format(
          "<p>Different for want of room: {} (too many fields to tell them apart).</p>\n",
          grouped(route_.over_bounds));
    if (!route_.hidden.empty())
      out_ += fmt::format("<p>Hidden by redaction, not compared: {}.</p>\n",
                          counts_list(route_.hidden));
  }

  void latency() {
    const Latency& a = route_.primary;
    const Latency& b = route_.shadow;
    if (a.count == 0 || b.count == 0) return;
    out_ +=
        "<table class=\"latency\"><thead><tr><th>Time to first byte</th><th class=\"n\">primary"
        "</th><th class=\"n\">shadow</th><th class=\"n\">ratio</th></tr></thead><tbody>\n";
    const auto row = [this](std::string_view name, std::int64_t left, std::int64_t right) {
      out_ += fmt::format(
          "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}"
          "</td><td class=\"n\">{}</td></tr>\n",
          name, micros_text(left), micros_text(right), ratio_text(left, right));
    };
    row("p50", a.p50, b.p50);
    row("p95", a.p95, b.p95);
    row("p99", a.p99, b.p99);
    out_ += "</tbody></table>\n";
  }

  void columns() {
    out_ +=
        "<div class=\"columns\"><span></span><span>field</span><span>difference</span>"
        "<span class=\"n\">pairs</span><span class=\"n\">controls</span><span></span></div>\n";
  }

  std::size_t count(Judgement judgement) const {
    return static_cast<std::size_t>(
        std::ranges::count(route_.fields, judgement, &FieldReport::judgement));
  }

  // The first few findings stand open. The bars of a list are of one scale.
  void list(Judgement judgement) {
    columns();
    scale_ = kLeastScale;
    for (const FieldReport& one : route_.fields)
      if (one.judgement == judgement)
        scale_ = std::max({scale_, one.raw.high(), one.noise.value()});
    out_ += "<div class=\"list\">\n";
    std::size_t open = judgement == Judgement::finding ? kOpenAtFirst : 0;
    for (const FieldReport& one : route_.fields) {
      if (one.judgement != judgement) continue;
      field(one, open == 0 ? "" : " open");
      open -= open == 0 ? 0 : 1;
    }
    out_ += "</div>\n";
  }

  void fields_of(Judgement judgement, std::string_view title) {
    if (count(judgement) == 0) return;
    out_ += fmt::format("<h3>{}</h3>\n", title);
    list(judgement);
  }

  void noise() {
    const std::size_t fields = count(Judgement::noise);
    if (fields == 0) return;
    out_ += fmt::format(
        "<details class=\"group\"><summary>Noise, not counted: {} the same code "
        "differs from itself in</summary>\n",
        number_of(fields, "field"));
    list(Judgement::noise);
    out_ += "</details>\n";
  }

  void field(const FieldReport& field, std::string_view open) {
    const std::string title = escape_markup(field_title(field.part, field.field));
    out_ += fmt::format(
        "<details class=\"field {}\" data-name=\"{}\" data-signal=\"{:.9f}\" data-raw=\"{:.9f}\"{}>"
        "<summary><code>{}</code><span class=\"kind\">{}</span>"
        "<span class=\"n raw-share\">{}</span><span class=\"n soft\">{}</span>{}</summary>\n",
        compare::name_of(field.judgement), title, field.signal(), field.raw.value(), open, title,
        kind_text(field.kind), percent_text(field.raw), percent_text(field.noise), bars(field));
    out_ += fmt::format(
        "<div class=\"inside\"><p class=\"soft\">Pairs: {} (95 % interval {}). Controls: "
        "{}{}.</p>\n",
        count_text(field.raw), interval_text(field.raw), count_text(field.noise),
        field.noise.of == 0 ? std::string{}
                            : fmt::format(" (95 % interval {})", interval_text(field.noise)));
    for (const Example& example : field.examples) out_ += example_table(example);
    if (!field.examples.empty())
      out_ += fmt::format(
          "<p class=\"soft\">All of it: <code class=\"select\">seguectl compare --pair {} {}</code>"
          "</p>\n",
          escape_markup(field.examples.front().primary), escape_markup(as_argument(source_)));
    out_ += "</div></details>\n";
  }

  std::string bars(const FieldReport& field) const {
    return fmt::format("<span>{}{}</span>", page_bar(field.raw, scale_, "raw"),
                       page_bar(field.noise, scale_, "noise"));
  }

  const RouteReport& route_;
  const std::string_view source_;
  double scale_ = kLeastScale;
  std::string out_;
};

}  // namespace

std::string page_badge(const RouteReport& route) {
  if (const std::uint64_t findings = route.findings(); findings != 0)
    return fmt::format("<span class=\"badge bad\">{}</span>", number_of(findings, "finding"));
  if (!doubts(route).empty()) return "<span class=\"badge doubt\">not certain</span>";
  return "<span class=\"badge good\">no findings</span>";
}

std::string page_bar(const Share& share, double full, std::string_view kind) {
  const auto at = [full](double value) {
    return std::clamp(value / full, 0.0, 1.0) * static_cast<double>(kBarWidth);
  };
  std::string inside =
      fmt::format("<rect class=\"ground\" width=\"{}\" height=\"7\" rx=\"2\"/>", kBarWidth);
  if (share.of != 0) {
    inside += fmt::format("<rect class=\"{}\" width=\"{:.1f}\" height=\"7\" rx=\"2\"/>", kind,
                          at(share.value()));
    inside += fmt::format("<path class=\"range\" d=\"M{:.1f} 3.5H{:.1f}\"/>", at(share.low()),
                          at(share.high()));
  }
  return fmt::format(
      "<svg width=\"{}\" height=\"9\" viewBox=\"0 0 {} 9\" role=\"img\" "
      "aria-label=\"{}\">{}</svg>",
      kBarWidth, kBarWidth, percent_text(share), inside);
}

std::string page_route(const RouteReport& route, std::size_t number, std::string_view source) {
  return RoutePage(route, source).text(number);
}

}  // namespace segue::cli
