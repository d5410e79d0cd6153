#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace segue::test {

// How long a real server may take to start, which may have to be fetched first.
inline constexpr std::chrono::minutes kServerPatience{5};

// Runs tests/support/stack/NAME to its end; what it printed, without the last line's end. Throws
// TestFailure with what it said when it fails.
std::string run_stack_script(std::string_view name, std::vector<std::string> arguments);

// "-o PID": a server started with this is destroyed when this process ends, however it ends.
std::vector<std::string> owned_by_this_process();

}  // namespace segue::test
