#pragma once

namespace CLI {
class App;
}

namespace segue::cli {

// Usage errors of the program as one line: the command, what is wrong, and where help is.
void say_usage_errors_in_one_line(CLI::App& program);

}  // namespace segue::cli
