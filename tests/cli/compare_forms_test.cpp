// What `seguectl compare` prints of a report: text, JSON, JUnit.
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <pugixml.hpp>
#include <string>

#include "cli/compare/markup.hpp"
#include "cli/compare/report_text.hpp"
#include "cli/compare/report_view.hpp"
#include "cli/compare/wording.hpp"
#include "recorder/utf8.hpp"
#include "tests/cli/compare_report_sample.hpp"

namespace segue::test {
namespace {

using namespace cli;

std::string text_of_report(const ReportView& view, NoiseDetail noise = NoiseDetail::line) {
  return report_text(view, Paint(Colour::never, stdout), noise);
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) UNSCOPED_INFO("not there: " << part);
  return found;
}

TEST_CASE("the text says for each route how much matches, how fast, and what differs") {
  const std::string text = text_of_report(shop_report());
  INFO(text);
  CHECK(
      has(text, "16,494 pairs of primary and shadow, 330 control pairs, in journal:data/journal"));
  CHECK(has(text, "2025-11-21 09:00:00 to 2025-11-21 10:00:00 UTC; rules: segue.yaml"));
  CHECK(has(text, "search-read  4 findings"));
  CHECK(has(text, "97.34 % of pairs (12,115 of 12,446; 95 % interval 97.04 to 97.61 %)"));
  CHECK(has(text, "primary    4.2 ms   18.7 ms   41.0 ms"));
  CHECK(has(text, "ratio       0.74x     0.85x     1.54x"));
  CHECK(has(text, "not comparable: 30 (no response 9, truncated 21)"));
  CHECK(has(text, "credentials: 4 answered 401 or 403 by the shadow alone"));
  CHECK(has(text, "hidden by redaction, not compared: $.payment.card 412"));
  CHECK(has(text, "x body $.items[*].price: other type"));
  CHECK(has(text, "2.00 % of pairs (249 of 12,446; 1.77 to 2.26 %), 0 % of controls (0 of 250)"));
  CHECK(has(text, "primary 0199a5b2-7c40-7001-8000-000000000101  \"12.50\""));
  CHECK(has(text, "shadow  0199a5b2-7c40-7002-8000-000000000202  12.5"));
  CHECK(has(text, "- body $.generated_at: other value (100 % of pairs, 100 % of controls)"));
  CHECK(has(text, "without their shadow: 3 primary exchanges"));
  CHECK(has(text, "140,211 skipped_sampling: not drawn"));
  CHECK(has(text, "FAIL  p99<=1.2x"));
  CHECK(has(text, "4 findings in 1 of 3 routes, 16,494 pairs compared"));
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("the text says plainly that pairs or controls are too few") {
  const std::string text = text_of_report(shop_report());
  CHECK(has(text, "Too few pairs that could be compared to decide anything: 14 of at least 200"));
  CHECK(has(text, "No control pairs: what differs by chance cannot be told"));
}

TEST_CASE("pairs that were too many to tell apart are said, in every form") {
  ReportView view = shop_report();
  CHECK(text_of_report(view).find("want of room") == std::string::npos);
  view.report.routes[2].over_bounds = 1'234;
  CHECK(has(text_of_report(view), "different for want of room: 1,234"));
  CHECK(has(report_page(view), "Different for want of room: 1,234"));
  CHECK(boost::json::parse(report_json(view)).at("routes").at(2).at("over_bounds").as_int64() ==
        1'234);
}

TEST_CASE("a route without pairs says that, and no more, in every form") {
  ReportView view = shop_report();
  view.report.routes.push_back({.route = "silent", .min_pairs = 200});
  const std::string text = text_of_report(view);
  CHECK(has(text, "silent  no findings\n  pairs    0:"));
  CHECK(has(text, "! No pairs: nothing of this route was compared."));
  CHECK(has(report_page(view), "<p>No pairs: nothing of this route was compared.</p>"));
  CHECK(has(report_junit(view), "<skipped message=\"No pairs: nothing"));
  CHECK(boost::json::parse(report_json(view)).at("routes").at(3).at("pairs").as_int64() == 0);
}

TEST_CASE("noise is a line each, and as full as a finding when asked for") {
  CHECK(!has(text_of_report(shop_report()), "09:00:00.181Z"));
  CHECK(has(text_of_report(shop_report(), NoiseDetail::full), "09:00:00.181Z"));
}

TEST_CASE("shares are never rounded to all or to nothing") {
  CHECK(percent_text({999'999, 1'000'000}) == "99.99 %");
  CHECK(percent_text({1, 1'000'000}) == "0.01 %");
  CHECK(percent_text({7, 7}) == "100 %");
  CHECK(percent_text({0, 7}) == "0 %");
  CHECK(percent_text({0, 0}) == "-");
  CHECK(interval_text({0, 0}).empty());
}

TEST_CASE("a contrast cuts between characters, and never overlaps") {
  const auto parts = [](std::string_view left, std::string_view right) {
    const Contrast c = contrast(left, right);
    CHECK(std::string(c.before) + std::string(c.left) + std::string(c.after) == left);
    CHECK(std::string(c.before) + std::string(c.right) + std::string(c.after) == right);
    CHECK(recorder::is_utf8(c.left));
    CHECK(recorder::is_utf8(c.right));
    return std::string(c.left) + "|" + std::string(c.right);
  };
  CHECK(parts("max-age=0, x", "max-age=60, x") == "|6");
  CHECK(parts("é", "è") == "é|è");
  CHECK(parts("a\xe2\x82\xac", "a\xe2\x82\xad") == "\xe2\x82\xac|\xe2\x82\xad");
  CHECK(parts("Ãx", "Åx") == "Ã|Å");
  CHECK(parts("aa", "aaa") == "|a");
  CHECK(parts("", "new") == "|new");
  CHECK(parts("same", "same") == "|");
}

TEST_CASE("the JSON has everything of the report under stable names") {
  const auto json = boost::json::parse(report_json(shop_report())).as_object();
  CHECK(json.at("format_version").as_int64() == 1);
  CHECK(json.at("source").as_string() == "journal:data/journal");
  CHECK(json.at("rules").as_string() == "segue.yaml");
  CHECK(json.at("from").as_string() == "2025-11-21T09:00:00.000000Z");
  CHECK(json.at("pairs").as_int64() == 16'494);
  CHECK(json.at("findings").as_int64() == 4);
  CHECK(json.at("unpaired").at("primaries").as_int64() == 3);
  CHECK(json.at("not_shadowed").at("skipped_sampling").as_int64() == 140'211);
  CHECK(json.at("gates").at(0).at("holds").as_bool());
  CHECK(json.at("gates").at(1).at("failures").as_array().size() == 1);
  const auto& route = json.at("routes").at(2).as_object();
  CHECK(route.at("route").as_string() == "search-read");
  CHECK(route.at("match").at("percent").as_double() == 97.341);
  CHECK(route.at("match").at("low_percent").as_double() < 97.341);
  CHECK(route.at("latency_us").at("shadow").at("p99").as_int64() == 63'000);
  CHECK(route.at("incomparable").at("truncated").as_int64() == 21);
  CHECK(route.at("hidden").at("$.payment.card").as_int64() == 412);
  const auto& field = route.at("fields").at(0).as_object();
  CHECK(field.at("part").as_string() == "body");
  CHECK(field.at("field").as_string() == "$.items[*].price");
  CHECK(field.at("kind").as_string() == "type");
  CHECK(field.at("judgement").as_string() == "finding");
  CHECK(field.at("raw").at("count").as_int64() == 249);
  CHECK(field.at("examples").at(0).at("left").as_string() == "\"12.50\"");
  // No controls: nobody knows a share of nothing.
  CHECK(json.at("routes").at(0).at("fields").at(0).at("noise").at("percent").is_null());
}

TEST_CASE("JUnit has a suite for each route and one for the gates, as an XML parser reads them") {
  pugi::xml_document document;
  const std::string text = report_junit(shop_report());
  INFO(text);
  REQUIRE(document.load_string(text.c_str(), pugi::parse_full));
  const auto suites = document.child("testsuites");
  CHECK(suites.attribute("tests").as_int() == 13);
  CHECK(suites.attribute("failures").as_int() == 5);
  const auto search = suites.find_child_by_attribute("testsuite", "name", "search-read");
  CHECK(search.attribute("tests").as_int() == 8);
  CHECK(search.attribute("failures").as_int() == 4);
  CHECK(search.attribute("skipped").as_int() == 1);
  const auto price =
      search.find_child_by_attribute("testcase", "name", "body $.items[*].price: type");
  CHECK(has(price.child("failure").attribute("message").value(), "other type in 2.00 % of pairs"));
  CHECK(has(price.child("failure").text().get(), "\"12.50\""));
  const auto checkout = suites.find_child_by_attribute("testsuite", "name", "checkout-status");
  CHECK(has(checkout.child("testcase").child("skipped").attribute("message").value(),
            "Too few pairs"));
  const auto gates = suites.find_child_by_attribute("testsuite", "name", "gates");
  CHECK(gates.attribute("tests").as_int() == 2);
  CHECK(gates.attribute("failures").as_int() == 1);
}

TEST_CASE("nothing that traffic brought gets out of the text, the JSON or the XML") {
  const ReportView view = hostile_report();
  const std::string text = text_of_report(view, NoiseDetail::full);
  for (const char c : text) CHECK((static_cast<unsigned char>(c) >= 0x20 || c == '\n'));
  CHECK(recorder::is_utf8(text));
  const auto json = boost::json::parse(report_json(view)).as_object();
  const auto& fields = json.at("routes").at(0).at("fields").as_array();
  CHECK(fields.at(0).at("field").as_string() == kHostile);
  CHECK(fields.at(1).as_object().contains("field_base64"));
  pugi::xml_document document;
  REQUIRE(document.load_string(report_junit(view).c_str(), pugi::parse_full));
  CHECK(document.child("testsuites").child("testsuite").attribute("name").value() ==
        std::string(kHostile));
}

TEST_CASE("markup holds any octets, and none that XML forbids") {
  CHECK(escape_markup("<a href=\"x\" b='y'>&") ==
        "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  CHECK(escape_markup(std::string_view("\0\x0b\x1b\xff", 4)) == "\\x00\\x0b\\x1b\\xff");
  CHECK(escape_markup("a\nb") == "a\\x0ab");
  CHECK(escape_markup("a\nb", Breaks::keep) == "a\nb");
  CHECK(escape_markup("\xef\xbf\xbf") == "\\xef\\xbf\\xbf");
  CHECK(escape_markup("Émile") == "Émile");
}

}  // namespace
}  // namespace segue::test
