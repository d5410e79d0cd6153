#include "tests/cli/comparing_command.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

namespace segue::test {

CommandResult compare(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{seguectl_path(), "compare"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

std::string source(const TempDir& folder) {
  return "journal:" + folder.path().string();
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) UNSCOPED_INFO("not there: " << part << "\nbut:\n" << text);
  return found;
}

boost::json::object json_of(const CommandResult& result) {
  INFO(result.err);
  return boost::json::parse(result.out).as_object();
}

std::string judged(const CommandResult& result, std::string_view judgement) {
  std::string found;
  const auto json = json_of(result);  // the loop would not keep it
  for (const auto& field : json.at("routes").at(0).at("fields").as_array())
    if (field.at("judgement").as_string() == judgement)
      found += fmt::format("{}{} {}", found.empty() ? "" : ", ",
                           std::string_view(field.at("part").as_string()),
                           std::string_view(field.at("field").as_string()));
  return found;
}

Answer search(std::uint64_t made_at, std::string_view price) {
  return {fmt::format(R"({{"generated_at":{},"items":[{{"id":7,"price":{}}}]}})", made_at, price)};
}

void fill_with_noise_and_finding(ShadowedJournal& journal) {
  for (std::uint64_t n = 0; n < 300; ++n) {
    journal.pair(n, search(3 * n, "12.50"), search(3 * n + 1, n % 10 == 0 ? "13" : "12.50"));
    if (n % 5 == 0) journal.control(n, search(3 * n + 2, "12.50"));
  }
}

}  // namespace segue::test
