#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/settings.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// Rules of comparing that the command line gives, for all routes: --ignore-header, --ignore-json,
// --array, --tolerance, --ignore, --min-pairs.
class RuleOptions {
 public:
  void add_to(CLI::App& command);

  // `rules` with those of the command line on top: what both say of one path is as the command line
  // says. Throws StartupError: which option is none, and why.
  compare::RouteRules on_top_of(compare::RouteRules rules) const;

 private:
  std::vector<std::string> ignore_headers_, ignore_json_, arrays_, tolerances_, ignores_;
  std::optional<std::uint64_t> min_pairs_;
};

// "PATH=VALUE" at the first `=` that is not within brackets or quotes of the path; nullopt: there
// is none, or nothing before it.
struct PathValue {
  std::string path;
  std::string value;
};
std::optional<PathValue> split_path_value(std::string_view text);

}  // namespace segue::cli
