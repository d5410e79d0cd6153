#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/codes.hpp"
#include "config/source.hpp"
#include "config/yaml.hpp"

namespace segue::config {

// What one load reads with. One load, one thread.
struct Context {
  Report& report;
  std::filesystem::path folder;  // of the configuration file: relative paths start here
};

// A value in the tree, and how messages call it. Lives no longer than its tree.
struct Place {
  const yaml::Node& node;
  std::string name;  // "limits.head"; empty for the whole file
  Position at;       // blamed for what is absent from it: its key

  Place child(const yaml::Entry& entry) const;
  Place item(std::size_t index) const;  // of a sequence: "tests[3]"
};

// "a list", "a map", "empty", "the number 5", "'abc'".
std::string what_is(const yaml::Node& node);

// E010 "limits.head must be a size such as 64KiB, not a list"; nothing for a broken node.
void refuse_type(const Place& place, Context& context, std::string_view expected);
// E014, in the same words.
void refuse_value(const Place& place, Context& context, std::string_view expected,
                  std::string hint = {});
// E012 with a suggestion.
void refuse_unknown_key(const Place& place, const yaml::Entry& entry, Context& context,
                        const std::vector<std::string_view>& known);

// The text of a scalar of any core type; reports and is empty for everything else.
std::optional<std::string> read_scalar(const Place& place, Context& context,
                                       std::string_view expected);
// As read_scalar(), but numbers, booleans and ${...} must be quoted or are refused.
std::optional<std::string> read_text(const Place& place, Context& context,
                                     std::string_view expected);
// read_text() with every ${NAME} replaced from the environment; E018 when one is not set.
std::optional<std::string> read_address_text(const Place& place, Context& context,
                                             std::string_view expected);

// False, and reported, when it is not a map (a sequence).
bool is_map(const Place& place, Context& context);
bool is_sequence(const Place& place, Context& context, std::string_view expected);

// Names of routes, backends and listeners: letters, digits, '-' and '_', at most 64 of them,
// because they stand in metrics, records and dotted key names. Reports otherwise.
bool check_name(const yaml::Entry& entry, std::string_view of, Context& context);

}  // namespace segue::config
