#pragma once

#include <string>

namespace segue::config {

// The table of all keys in docs/configuration.md, in Markdown, from the tables that read them.
std::string key_documentation();

}  // namespace segue::config
