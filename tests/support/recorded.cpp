#include "tests/support/recorded.hpp"

#include <strings.h>

#include <boost/json/parse.hpp>

#include "tests/support/lines.hpp"
#include "tests/support/process.hpp"

namespace segue::test {

std::vector<boost::json::object> recorded(const std::string& source,
                                          const std::vector<std::string>& filters) {
  std::vector<std::string> command{seguectl_path(), "cat", source, "--output", "json"};
  command.insert(command.end(), filters.begin(), filters.end());
  const auto result = run_command(command);
  if (result.exit_code != 0) throw TestFailure("seguectl cat: " + result.err);
  std::vector<boost::json::object> exchanges;
  for_each_line(result.out, [&](std::string_view line) {
    exchanges.push_back(boost::json::parse({line.data(), line.size()}).as_object());
  });
  return exchanges;
}

std::string text_of(const boost::json::value& value) {
  return std::string(value.as_string());
}

std::optional<std::string> recorded_header(const boost::json::object& message,
                                           std::string_view name) {
  for (const auto& field : message.at("headers").as_array()) {
    const auto recorded_name = text_of(field.at("name"));
    if (recorded_name.size() == name.size() &&
        ::strncasecmp(recorded_name.data(), name.data(), name.size()) == 0) {
      return text_of(field.at("value"));
    }
  }
  return std::nullopt;
}

}  // namespace segue::test
