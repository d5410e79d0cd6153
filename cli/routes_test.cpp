#include "cli/routes.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdio>

#include "cli/diagnostics.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/word_option.hpp"
#include "exchange/error.hpp"
#include "routing/route_tests.hpp"

namespace segue::cli {
namespace {

using config::Settings;
using routing::Assertion;
using routing::TestResult;

std::string failure_text(const Assertion& assertion) {
  return fmt::format("{} should be {} and is {}", assertion.what, assertion.expected,
                     assertion.got);
}

std::string as_text(const std::vector<TestResult>& results, const Settings& settings,
                    const Paint& paint) {
  std::string text;
  for (const TestResult& result : results) {
    const config::TestSettings& test = settings.tests[result.index];
    text +=
        fmt::format("{}  {}  {}\n", result.passed() ? paint.good("ok  ") : paint.error("FAIL"),
                    result.title, paint.faint(result.route.empty() ? "no route" : result.route));
    for (const Assertion& assertion : result.assertions)
      if (!assertion.holds)
        text += fmt::format("      {}:{}: {}\n", test.file, test.line, failure_text(assertion));
  }
  const auto failed = static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [](const TestResult& result) { return !result.passed(); }));
  return text + fmt::format("{}, {} failed\n", count_of(results.size(), "test"), failed);
}

std::string as_json(const std::vector<TestResult>& results, const Settings& settings) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.key("tests");
  json.begin_array();
  for (const TestResult& result : results) {
    json.begin_object();
    json.member("request", result.title);
    json.member("route", result.route);
    json.member("result", result.passed() ? "passed" : "failed");
    json.member("file", settings.tests[result.index].file);
    json.member("line", std::uint64_t{settings.tests[result.index].line});
    json.key("failures");
    json.begin_array();
    for (const Assertion& assertion : result.assertions) {
      if (assertion.holds) continue;
      json.begin_object();
      json.member("what", assertion.what);
      json.member("expected", assertion.expected);
      json.member("got", assertion.got);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + "\n";
}

std::string escape_xml(std::string_view text) {
  std::string result;
  for (char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string as_junit(const std::vector<TestResult>& results, const Settings& settings) {
  std::string cases;
  std::size_t failed = 0;
  for (const TestResult& result : results) {
    const config::TestSettings& test = settings.tests[result.index];
    cases += fmt::format("  <testcase classname=\"routes\" name=\"{}\" file=\"{}\" line=\"{}\"",
                         escape_xml(result.title), escape_xml(test.file), test.line);
    if (result.passed()) {
      cases += "/>\n";
      continue;
    }
    ++failed;
    std::string failures;
    for (const Assertion& assertion : result.assertions)
      if (!assertion.holds) failures += failure_text(assertion) + "\n";
    cases += fmt::format(">\n    <failure message=\"{}\"/>\n  </testcase>\n",
                         escape_xml(failures.substr(0, failures.size() - 1)));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"segue routes test\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n{}"
      "</testsuite>\n",
      results.size(), failed, cases);
}

void keep_matching(std::vector<TestResult>& results, const std::string& expression) {
  if (expression.empty()) return;
  const RE2 filter(expression, RE2::Quiet);
  if (!filter.ok()) throw StartupError(fmt::format("--run {}: {}", expression, filter.error()));
  std::erase_if(results, [&](const TestResult& result) {
    return !RE2::PartialMatch(result.title, filter) && !RE2::PartialMatch(result.route, filter);
  });
  if (results.empty()) throw StartupError(fmt::format("--run {}: no test matches", expression));
}

}  // namespace

RoutesTestCommand::RoutesTestCommand(CLI::App& routes)
    : command_(routes.add_subcommand("test", "run the tests of the configuration")) {
  add_configuration_option(*command_, config_);
  command_->add_option("--run", filter_, "only cases whose request line or route matches (RE2)")
      ->type_name("REGEX");
  add_word_option<RoutesForm>(
      *command_, "-o,--output", form_,
      {{"text", RoutesForm::text}, {"json", RoutesForm::json}, {"junit", RoutesForm::junit}},
      "form of the output");
  add_colour_option(*command_, colour_);
}

int RoutesTestCommand::run() {
  const config::LoadResult loaded = require_configuration(config_, colour_, config::Tests::skip);
  std::vector<TestResult> results =
      routing::run_tests(*loaded.table, config::test_cases(*loaded.settings));
  keep_matching(results, filter_);
  if (form_ == RoutesForm::json)
    fmt::print("{}", as_json(results, *loaded.settings));
  else if (form_ == RoutesForm::junit)
    fmt::print("{}", as_junit(results, *loaded.settings));
  else
    fmt::print("{}", as_text(results, *loaded.settings, Paint(colour_, stdout)));
  const bool all_passed = std::all_of(results.begin(), results.end(),
                                      [](const TestResult& result) { return result.passed(); });
  return all_passed ? kClean : kFound;
}

}  // namespace segue::cli
