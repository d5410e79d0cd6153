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

// Changes that make a configuration wrong at the marked place, and what is said of them.
struct Wrong {
  std::string_view changes;
  std::string_view code;
  std::string_view message;
  std::string_view hint;
};
// Fails the test unless that is the one error, at that place.
void check_wrong(const Wrong& expected);

// load_text() of a configuration that is called "segue.yaml".
LoadResult load_changed(std::string_view changes, Tests tests = Tests::run);

// What it loads to; the test fails, with the errors, when it does not.
Settings settings_of(std::string_view changes);
// The test fails when there is none of this name.
const RouteSettings& route_of(const Settings& settings, std::string_view name);

}  // namespace segue::config::testing
