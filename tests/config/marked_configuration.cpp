#include "tests/config/marked_configuration.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "config/source.hpp"

namespace segue::config::testing {
namespace {

constexpr std::string_view kOpen = "‹";
constexpr std::string_view kClose = "›";

constexpr std::array<std::string_view, 5> kSections{
    "version: 1\n", "listeners: { public: { address: \"127.0.0.1:0\" } }\n",
    "backends:\n  legacy: { endpoints: [\"php.internal:80\"] }\n"
    "  new: { endpoints: [\"go.internal:80\"] }\n",
    "defaults: { record: { redact: {} } }\n",
    "routes:\n  all: { match: { prefix: / }, to: legacy }\n"};

std::string_view key_of(std::string_view line) {
  return line.substr(0, line.find(':'));
}

std::string without_marks(std::string_view text) {
  std::string result(text);
  for (std::string_view mark : {kOpen, kClose})
    while (result.find(mark) != std::string::npos) result.erase(result.find(mark), mark.size());
  return result;
}

std::set<std::string, std::less<>> top_level_keys(std::string_view text) {
  std::set<std::string, std::less<>> keys;
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find('\n', start), text.size());
    const std::string line = without_marks(text.substr(start, end - start));
    if (!line.empty() && std::string_view(" #-}").find(line.front()) == std::string_view::npos)
      keys.emplace(key_of(line));
    start = end + 1;
  }
  return keys;
}

}  // namespace

Marked read_marks(std::string_view marked) {
  const auto open = marked.find(kOpen);
  if (open == std::string_view::npos) return {.text = std::string(marked)};
  const auto close = marked.find(kClose);
  const std::string_view before = marked.substr(0, open);
  const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view token = marked.substr(open + kOpen.size(), close - open - kOpen.size());
  return {.text = without_marks(marked),
          .line = static_cast<unsigned>(std::count(before.begin(), before.end(), '\n')) + 1,
          .column = count_characters(before.substr(line_start)) + 1,
          .length = count_characters(token)};
}

std::string configuration_with(std::string_view changes) {
  const auto replaced = top_level_keys(changes);
  std::string text;
  for (std::string_view section : kSections)
    if (!replaced.contains(key_of(section))) text += section;
  return text.append(changes).append("\n");
}

void check_wrong(const Wrong& expected) {
  INFO(expected.changes);
  const auto marked = read_marks(configuration_with(expected.changes));
  const LoadResult result = load_text(marked.text, "segue.yaml", "");
  for (const Diagnostic& error : result.errors)
    UNSCOPED_INFO(error.line << ":" << error.column << "+" << error.length << " " << error.code
                             << " " << error.message << " (" << error.hint << ")");
  REQUIRE(result.errors.size() == 1);
  const Diagnostic& error = result.errors.front();
  CHECK(error.code == expected.code);
  CHECK(error.message == expected.message);
  CHECK(error.hint == expected.hint);
  CHECK(error.line == marked.line);
  CHECK(error.column == marked.column);
  CHECK(error.length == marked.length);
  CHECK(error.file == "segue.yaml");
  CHECK_FALSE(result.settings.has_value());
}

LoadResult load_changed(std::string_view changes, Tests tests) {
  return load_text(read_marks(configuration_with(changes)).text, "segue.yaml", "", tests);
}

Settings settings_of(std::string_view changes) {
  LoadResult result = load_changed(changes);
  for (const Diagnostic& error : result.errors)
    UNSCOPED_INFO(error.line << ":" << error.column << " " << error.code << " " << error.message);
  REQUIRE(result.settings.has_value());
  return std::move(*result.settings);
}

const RouteSettings& route_of(const Settings& settings, std::string_view name) {
  const auto found = std::find_if(settings.routes.begin(), settings.routes.end(),
                                  [&](const auto& route) { return route.rule.name == name; });
  REQUIRE(found != settings.routes.end());
  return *found;
}

}  // namespace segue::config::testing
