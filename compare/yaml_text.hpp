#pragma once

#include <string>
#include <string_view>

namespace segue::compare {

// A double-quoted YAML scalar (YAML 1.2.2, 7.3.1) that says `text`, whatever is in it. Octets that
// are no UTF-8 become '?'.
std::string yaml_text(std::string_view text);

// `text` for the rest of a comment line: on one line, cut to a readable length. What peers sent
// stands in comments, and must not end them.
std::string yaml_comment(std::string_view text);

}  // namespace segue::compare
