#include <fmt/format.h>

#include <algorithm>

#include "cli/compare/markup.hpp"
#include "cli/compare/report_view.hpp"
#include "cli/compare/wording.hpp"

namespace segue::cli {
namespace {

using compare::FieldReport;
using compare::Judgement;
using compare::RouteReport;

// One testsuite, put together case by case.
class Suite {
 public:
  explicit Suite(std::string_view name) : name_(escape_markup(name)) {}

  void passes(std::string_view name) { add(name, {}); }
  void fails(std::string_view name, std::string_view message, std::string_view detail) {
    ++failures_;
    add(name, fmt::format("<failure message=\"{}\">{}</failure>", escape_markup(message),
                          escape_markup(detail, Breaks::keep)));
  }
  void skips(std::string_view name, std::string_view message) {
    ++skipped_;
    add(name, fmt::format("<skipped message=\"{}\"/>", escape_markup(message)));
  }
  std::uint64_t tests() const { return tests_; }
  std::uint64_t failures() const { return failures_; }
  std::string text() const {
    return fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}"
        "  </testsuite>\n",
        name_, tests_, failures_, skipped_, cases_);
  }

 private:
  void add(std::string_view name, std::string_view inside) {
    ++tests_;
    cases_ += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", name_, escape_markup(name));
    cases_ += inside.empty() ? "/>\n" : fmt::format(">{}</testcase>\n", inside);
  }

  const std::string name_;  // escaped
  std::string cases_;
  std::uint64_t tests_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t skipped_ = 0;
};

std::string shares_text(const FieldReport& field) {
  return fmt::format("{} of pairs ({}; {}), {} of controls ({})", percent_text(field.raw),
                     count_text(field.raw), interval_text(field.raw), percent_text(field.noise),
                     count_text(field.noise));
}

std::string examples_text(const FieldReport& field) {
  std::string text;
  for (const compare::Example& example : field.examples)
    text += fmt::format("{}\n  primary {}: {}\n  shadow  {}: {}\n", example.path, example.primary,
                        example.left, example.other, example.right);
  return text;
}

void add_field(Suite& suite, const FieldReport& field) {
  const std::string name =
      fmt::format("{}: {}", field_title(field.part, field.field), compare::name_of(field.kind));
  switch (field.judgement) {
    case Judgement::finding:
      return suite.fails(name, fmt::format("{} in {}", kind_text(field.kind), shares_text(field)),
                         examples_text(field));
    case Judgement::uncertain:
      return suite.skips(name, fmt::format("too little is known to judge: {}", shares_text(field)));
    case Judgement::noise:
      return suite.passes(name);
  }
}

// A route without any difference has a case all the same, or it would look forgotten.
Suite suite_of(const RouteReport& route) {
  Suite suite(route.route);
  const std::string pairs = fmt::format("pairs: {}", count_text(route.match));
  const std::vector<std::string> doubt = doubts(route);
  if (route.enough)
    suite.passes(pairs + " match");
  else
    suite.skips(pairs + " match", doubt.front());
  for (const FieldReport& field : route.fields) add_field(suite, field);
  return suite;
}

Suite suite_of(const std::vector<GateOutcome>& gates) {
  Suite suite("gates");
  for (const GateOutcome& gate : gates) {
    if (gate.holds())
      suite.passes(gate.gate);
    else
      suite.fails(gate.gate, gate.failures.front(),
                  fmt::format("{}", fmt::join(gate.failures, "\n")));
  }
  return suite;
}

}  // namespace

std::string report_junit(const ReportView& view) {
  std::string suites;
  std::uint64_t tests = 0;
  std::uint64_t failures = 0;
  const auto add = [&](const Suite& suite) {
    suites += suite.text();
    tests += suite.tests();
    failures += suite.failures();
  };
  for (const RouteReport& route : view.report.routes) add(suite_of(route));
  if (!view.gates.empty()) add(suite_of(view.gates));
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"seguectl compare\" tests=\"{}\" failures=\"{}\">\n{}</testsuites>\n",
      tests, failures, suites);
}

}  // namespace segue::cli
