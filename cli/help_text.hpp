#pragma once

namespace CLI {
class App;
}

namespace segue::cli {

// Has help say what is to be written behind an option, and no more: "TIME", not "TEXT:TIME". For a
// program and the commands that it has or gets. CLI11's own text names C++ types beside.
void say_help_plainly(CLI::App& program);

}  // namespace segue::cli
