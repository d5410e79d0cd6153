#pragma once

#include <string>
#include <string_view>

#include "config/diagnostic.hpp"
#include "config/load.hpp"

namespace segue::config::testing {

// A configuration in which the blamed token stands between ‹ and ›; the marks are not part of
// the text, and tell where a diagnostic must point.
struct Marked {
  std::string text;
  unsigned line = 0;  // 0: nothing is marked
  unsigned column = 0;
  unsigned length = 1;
};
Marked read_marks(std::string_view marked);

// A small valid configuration in which the top-level keys of `changes` replace those of the same
// name; marks stay.
std::string configuration_with(std::string_view changes);

// load_text() of a configuration that is called "segue.yaml".
LoadResult load_changed(std::string_view changes, Tests tests = Tests::run);

// What it loads to; the test fails, with the errors, when it does not.
Settings settings_of(std::string_view changes);
// The test fails when there is none of this name.
const RouteSettings& route_of(const Settings& settings, std::string_view name);

}  // namespace segue::config::testing
