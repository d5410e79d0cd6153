#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/settings.hpp"
#include "routing/route_table.hpp"

namespace segue::config {

inline constexpr std::size_t kMaxFiles = 256;  // the configuration and what it includes

// Either settings with their compiled routes, or errors: all that one run can find.
struct LoadResult {
  std::optional<Settings> settings;
  std::unique_ptr<const routing::RouteTable> table;  // with settings; backends in their order
  std::vector<Diagnostic> errors;                    // by file, line and column
};

// Whether the configuration's tests decide about it. `segue routes test` reports on each
// itself and so loads without.
enum class Tests : std::uint8_t { run, skip };

// Reads a configuration with its includes, checks it, compiles its routes and runs its tests.
// Reads files and the environment and changes nothing. Never throws but for memory.
LoadResult load(const std::string& path, Tests tests = Tests::run);

// The same for text that came another way; `name` is what messages call it, and `folder` is
// where relative paths and includes start.
LoadResult load_text(std::string text, const std::string& name, const std::filesystem::path& folder,
                     Tests tests = Tests::run);

// The parts of a configuration that routing works with.
std::vector<routing::RouteRule> route_rules(const Settings& settings);
std::vector<routing::BackendRule> backend_rules(const Settings& settings);
std::vector<routing::TestCase> test_cases(const Settings& settings);

}  // namespace segue::config
