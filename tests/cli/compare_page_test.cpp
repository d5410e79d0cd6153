// The HTML report in a real browser.
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/compare/report_view.hpp"
#include "tests/cli/compare_report_sample.hpp"
#include "tests/support/browser.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

// Where a person looks at what the tests saw.
const std::filesystem::path kScreenshots = SEGUE_TEST_SCREENSHOTS;

std::filesystem::path written(const TempDir& folder, const cli::ReportView& view) {
  const auto path = folder / "report.html";
  std::ofstream(path, std::ios::binary) << cli::report_page(view);
  return path;
}

std::int64_t number(BrowserPage& page, std::string_view expression) {
  return page.evaluate(expression).to_number<std::int64_t>();
}
std::string text(BrowserPage& page, std::string_view expression) {
  return text_of(page.evaluate(expression));
}

void expect_quiet(const BrowserPage& page) {
  for (const auto& complaint : page.complaints()) UNSCOPED_INFO(complaint);
  CHECK(page.complaints().empty());
  for (const auto& request : page.requests()) UNSCOPED_INFO(request);
  CHECK(page.requests().empty());
}

TEST_CASE("the page shows routes, findings and examples, and asks nobody for anything") {
  const TempDir folder;
  BrowserPage page(written(folder, shop_report()), {});
  CHECK(text(page, "document.title") == "4 findings: primary and shadow compared");
  CHECK(number(page, "document.querySelectorAll('section.route').length") == 3);
  CHECK(number(page, "document.querySelectorAll('#overview tbody tr').length") == 3);
  CHECK(number(page, "document.querySelectorAll('.field.finding').length") == 4);
  CHECK(number(page, "document.querySelectorAll('.field.finding[open]').length") == 3);
  CHECK(number(page, "document.querySelectorAll('.group .field.noise').length") == 2);
  CHECK(text(page, "document.querySelector('.field.finding summary code').textContent") ==
        "body $.items[*].price");
  CHECK(text(page, "document.querySelector('.field.finding .id').innerText") ==
        "0199a5b2-7c40-7001-8000-000000000101");
  CHECK(text(page,
             "[...document.querySelectorAll('.field.finding mark')].slice(0, 2)"
             ".map(m => m.textContent).join('|')") == "\"12.50\"|12.5");
  CHECK(text(page, "document.querySelector('#gates').innerText").find("p99<=1.2x") !=
        std::string::npos);
  CHECK(text(page, "document.querySelector('#rest').innerText").find("140,211") !=
        std::string::npos);
  CHECK(text(page, "document.querySelector('#route-2 .doubts').innerText").find("Too few pairs") !=
        std::string::npos);
  // Nothing hangs out of the page, wide or narrow.
  CHECK(number(page, "document.documentElement.scrollWidth - innerWidth") <= 0);
  page.screenshot(kScreenshots / "compare-light.png");
  expect_quiet(page);
}

TEST_CASE("the page can be read in the dark and on a narrow screen") {
  const TempDir folder;
  const auto path = written(folder, shop_report());
  BrowserPage dark(path, {.scheme = BrowserPage::Scheme::dark});
  CHECK(text(dark, "getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 28)");
  dark.screenshot(kScreenshots / "compare-dark.png");
  expect_quiet(dark);
  BrowserPage narrow(path, {.width = 420});
  CHECK(number(narrow, "document.documentElement.scrollWidth - innerWidth") <= 0);
  narrow.screenshot(kScreenshots / "compare-narrow.png");
  expect_quiet(narrow);
}

TEST_CASE("the page filters, sorts and folds") {
  const TempDir folder;
  BrowserPage page(written(folder, shop_report()), {});
  constexpr const char* kShown =
      "[...document.querySelectorAll('.field')].filter(f => !f.hidden).length";
  const auto filter = [&page](const std::string& words) {
    page.evaluate("(() => { const i = document.querySelector('.tools input'); i.value = '" + words +
                  "'; i.dispatchEvent(new Event('input')); })()");
  };
  CHECK(number(page, "document.querySelector('.tools').hidden ? 1 : 0") == 0);
  CHECK(number(page, kShown) == 8);
  filter("facets émile");
  CHECK(number(page, kShown) == 1);
  CHECK(number(page, "document.querySelectorAll('section.route:not([hidden])').length") == 1);
  filter("generated_at");
  CHECK(number(page, "document.querySelector('details.group').open ? 1 : 0") == 1);
  page.screenshot(kScreenshots / "compare-filtered.png");
  filter("");
  CHECK(number(page, kShown) == 8);

  page.evaluate(
      "(() => { const s = document.querySelector('.tools select'); s.value = 'name'; "
      "s.dispatchEvent(new Event('change')); })()");
  CHECK(text(page, "document.querySelector('#route-1 .field code').textContent") ==
        "body $.facets.brand");
  constexpr const char* kFirst = "document.querySelector('#overview tbody td').textContent";
  page.evaluate("document.querySelectorAll('#overview th button')[2].click()");
  CHECK(text(page, kFirst) == "geo");
  page.evaluate("document.querySelectorAll('#overview th button')[2].click()");
  CHECK(text(page, kFirst) == "checkout-status");
  page.evaluate("document.querySelector('button[data-open=yes]').click()");
  CHECK(number(page, "document.querySelectorAll('.field[open]').length") == 8);
  page.evaluate("document.querySelector('button[data-open=no]').click()");
  CHECK(number(page, "document.querySelectorAll('.field[open]').length") == 0);
  expect_quiet(page);
}

TEST_CASE("the page can be read without its script") {
  const TempDir folder;
  BrowserPage page(written(folder, shop_report()), {.script = BrowserPage::Script::off});
  CHECK(number(page, "document.querySelector('.tools').hidden ? 1 : 0") == 1);
  CHECK(number(page, "document.querySelectorAll('.field.finding[open]').length") == 3);
  CHECK(number(page, "document.querySelectorAll('#overview th button').length") == 0);
  page.screenshot(kScreenshots / "compare-without-script.png");
  expect_quiet(page);
}

TEST_CASE("what traffic brought stays text in the page, whatever it is") {
  const TempDir folder;
  BrowserPage page(written(folder, hostile_report()), {});
  CHECK(text(page, "document.title") == "2 findings: primary and shadow compared");
  CHECK(number(page, "document.querySelectorAll('script').length") == 1);
  CHECK(number(page, "document.querySelectorAll('img').length") == 0);
  CHECK(text(page, "document.querySelector('section.route h2').textContent") == kHostile);
  CHECK(text(page, "document.querySelector('section.route').dataset.name") == kHostile);
  CHECK(text(page, "document.querySelector('.field.finding td.value').innerText").find("<img") !=
        std::string::npos);
  CHECK(number(page, "document.documentElement.scrollWidth - innerWidth") <= 0);
  page.screenshot(kScreenshots / "compare-hostile.png");
  expect_quiet(page);
}

TEST_CASE("the page's policy would stop a script that got in") {
  const TempDir folder;
  std::string html = cli::report_page(shop_report());
  html.insert(html.find("</main>"),
              "<script>document.title='owned'</script>"
              "<img src=\"http://192.0.2.1/x\" onerror=\"document.title='owned'\">");
  std::ofstream(folder / "report.html", std::ios::binary) << html;
  BrowserPage page(folder / "report.html", {});
  CHECK(text(page, "document.title") == "4 findings: primary and shadow compared");
  CHECK(page.requests().empty());
  CHECK(!page.complaints().empty());
}

}  // namespace
}  // namespace segue::test
