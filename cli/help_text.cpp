#include "cli/help_text.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace segue::cli {
namespace {

// What CLI11 calls a type, and what a person would.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"TEXT", "TEXT"}, {"UINT", "N"}, {"INT", "N"}, {"FLOAT", "NUMBER"}};

class PlainHelp : public CLI::Formatter {
 public:
  // " TEXT:TIME REQUIRED", " INT:INT in [1 - 100]=12": the type, what validators say, the rest.
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    for (const auto& [type, plain] : kTypes) {
      const std::string range = ":" + std::string(type) + " in [";
      if (const auto at = text.find(range); at != std::string::npos)
        text.replace(at, range.size(), " in [");
    }
    for (const auto& [type, plain] : kTypes) {
      if (!text.starts_with(" " + std::string(type))) continue;
      const std::string rest = text.substr(1 + type.size());
      return " " + (rest.starts_with(':') ? rest.substr(1) : std::string(plain) + rest);
    }
    return text;
  }
};

void format_all(CLI::App& app, const std::shared_ptr<CLI::FormatterBase>& formatter) {
  app.formatter(formatter);
  for (CLI::App* const command : app.get_subcommands([](const CLI::App*) { return true; }))
    format_all(*command, formatter);
}

}  // namespace

void say_help_plainly(CLI::App& program) { format_all(program, std::make_shared<PlainHelp>()); }

}  // namespace segue::cli
