#pragma once

#include <string>
#include <vector>

namespace segue::config {

// One thing that is wrong with a configuration, with all that is needed to print it. Lines and
// columns count from 1, columns and length in characters; line 0: the file as a whole.
struct Diagnostic {
  std::string code;  // "E012"; docs/errors.md explains each
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  unsigned length = 1;      // of what is wrong, within its line
  std::string message;      // one line, no full stop
  std::string hint;         // what to write instead; may be empty
  std::string source_line;  // text of `line`, without the line break

  bool operator==(const Diagnostic&) const = default;
};

}  // namespace segue::config
