#include "cli/configuration.hpp"

#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "cli/diagnostics.hpp"
#include "config/yaml.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

// One octet more than a file may have, so that the reader sees that it is too long.
std::string read_standard_input() {
  std::string text;
  const std::istreambuf_iterator<char> end;
  for (std::istreambuf_iterator<char> c(std::cin);
       c != end && text.size() <= config::yaml::kMaxBytes; ++c)
    text += *c;
  return text;
}

}  // namespace

void add_configuration_option(CLI::App& command, std::string& path) {
  command.add_option("-c,--config", path, "configuration file, - is standard input")
      ->envname("SEGUE_CONFIG")
      ->type_name("FILE")
      ->capture_default_str();
}

config::LoadResult load_configuration(const std::string& path, config::Tests tests) {
  if (path == "-") return config::load_text(read_standard_input(), "<stdin>", "", tests);
  return config::load(path, tests);
}

config::LoadResult require_configuration(const std::string& path, Colour colour,
                                         config::Tests tests) {
  config::LoadResult result = load_configuration(path, tests);
  if (result.errors.empty()) return result;
  fmt::print(stderr, "{}", as_text(result.errors, Paint(colour, stderr)));
  throw StartupError(fmt::format("{} has {}", path == "-" ? "<stdin>" : path,
                                 count_of(result.errors.size(), "error")));
}

}  // namespace segue::cli
