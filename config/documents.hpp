#pragma once

#include <filesystem>

#include "config/place.hpp"
#include "config/source.hpp"
#include "config/yaml.hpp"

namespace segue::config {

// Reads sources[0], follows its `include:`, and returns one map of everything; each value keeps
// its position. What two files say twice is reported, and the first one stays.
yaml::Node read_documents(Sources& sources, Context& context);

// `over` laid on `base`, one value on another: maps merge, scalars and lists replace, and lists
// anywhere below a key `redact` or `compare` grow (docs/configuration.md, "Inheritance").
yaml::Node inherit(const yaml::Node& base, const yaml::Node& over);

// The place that a dotted key of a problem means ("routes.search-read.match.path",
// "tests[2].route"): its value, or, where it is absent, the key that comes nearest. A route's
// `record` and `timeouts` may stand in `defaults`.
Position locate(const yaml::Node& root, std::string_view key);

}  // namespace segue::config
