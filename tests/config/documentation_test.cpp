#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "config/key_documentation.hpp"
#include "config/load.hpp"

namespace segue::config {
namespace {

constexpr std::string_view kStart =
    "<!-- keys: written by config_test with SEGUE_UPDATE_DOCS=1 -->\n";
constexpr std::string_view kEnd = "<!-- end of keys -->\n";

std::string source_path(std::string_view file) {
  return std::string(SEGUE_SOURCE_DIR).append("/").append(file);
}

std::string read_source(std::string_view file) {
  std::ifstream stream(source_path(file), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("the key table of docs/configuration.md is that of the reader") {
  const std::string page = read_source("docs/configuration.md");
  const auto start = page.find(kStart);
  const auto end = page.find(kEnd);
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto from = start + kStart.size();
  if (std::getenv("SEGUE_UPDATE_DOCS") != nullptr) {
    std::ofstream(source_path("docs/configuration.md"), std::ios::binary)
        << page.substr(0, from) << key_documentation() << page.substr(end);
    return;
  }
  INFO("run config_test with SEGUE_UPDATE_DOCS=1 to write it");
  CHECK(page.substr(from, end - from) == key_documentation());
}

// The text between ```yaml and ``` after a heading.
std::string example_after(const std::string& page, std::string_view heading) {
  const auto start = page.find("```yaml\n", page.find(heading)) + 8;
  return page.substr(start, page.find("```", start) - start);
}

TEST_CASE("the example of docs/configuration.md loads and its tests pass") {
  const std::string example = example_after(read_source("docs/configuration.md"), "## Example");
  const LoadResult result = load_text(example, "segue.yaml", "/etc/segue");
  for (const Diagnostic& error : result.errors)
    UNSCOPED_INFO(error.line << ": " << error.code << " " << error.message << " " << error.hint);
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->routes.size() == 6);
  CHECK(result.settings->tests.size() == 8);
}

TEST_CASE("the example of docs/routing.md loads and its tests pass") {
  const std::string example =
      example_after(read_source("docs/routing.md"), "## Answers without a backend");
  const LoadResult result = load_text(example, "segue.yaml", "/etc/segue");
  for (const Diagnostic& error : result.errors)
    UNSCOPED_INFO(error.line << ": " << error.code << " " << error.message << " " << error.hint);
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->tests.size() == 5);
}

TEST_CASE("every code of config/codes.hpp has a section in docs/errors.md") {
  const std::string codes = read_source("config/codes.hpp");
  const std::string page = read_source("docs/errors.md");
  const std::regex code("\"(E[0-9]{3})\"");
  std::set<std::string> seen;
  for (auto it = std::sregex_iterator(codes.begin(), codes.end(), code);
       it != std::sregex_iterator(); ++it)
    seen.insert((*it)[1].str());
  REQUIRE(seen.size() > 20);
  for (const std::string& one : seen) {
    INFO(one);
    CHECK(page.find("## " + one + " ") != std::string::npos);
  }
}

}  // namespace
}  // namespace segue::config
