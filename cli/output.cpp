#include "cli/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cli/exit_code.hpp"

namespace segue::cli {
namespace {

[[noreturn]] void give_up() {
  if (errno == EPIPE) std::_Exit(kClean);
  fmt::print(stderr, "seguectl: cannot write to standard output\n");
  std::_Exit(kFailed);
}

}  // namespace

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) give_up();
}

void flush_out() {
  if (std::fflush(stdout) != 0) give_up();
}

}  // namespace segue::cli
