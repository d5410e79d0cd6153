#include "tests/support/stack_script.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

std::string run_stack_script(std::string_view name, std::vector<std::string> arguments) {
  const TempDir folder;
  arguments.insert(arguments.begin(), fmt::format("{}/{}", SEGUE_TEST_STACK, name));
  Process process(arguments, folder / "stdout");
  const auto end = process.wait(Deadline{kServerPatience});
  auto out = read_whole_file(folder / "stdout");
  if (end.exit_code != 0) {
    throw TestFailure(
        fmt::format("{} failed:\n{}{}", fmt::join(arguments, " "), out, process.errors()));
  }
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

std::vector<std::string> owned_by_this_process() {
  return {"-o", std::to_string(::getpid())};
}

}  // namespace segue::test
