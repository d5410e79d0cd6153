#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {

// A program whose terminal is the test: what it writes is read, and keys are pressed. Killed and
// reaped at the end of its scope. One thread.
class Terminal {
 public:
  // `environment`: NAME=VALUE, beside the test's own.
  Terminal(const std::vector<std::string>& command, const std::vector<std::string>& environment);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // As it would come from a keyboard: "\r" is Enter, "\t" Tab, "\x03" Ctrl-C, "\x04" Ctrl-D.
  void press(std::string_view keys);
  // What came until `text` did, with it, from where the last call ended. A test that waits in vain
  // fails, and shows what came.
  std::string read_until(std::string_view text, const Deadline& deadline = Deadline{});
  // The same for a prompt, which libedit prints before it makes keys of what is typed: until then
  // Ctrl-C would be a signal, and Ctrl-D be lost.
  std::string read_prompt(std::string_view prompt, const Deadline& deadline = Deadline{});
  // Its exit code.
  int wait(const Deadline& deadline = Deadline{});

 private:
  Descriptor terminal_;
  pid_t pid_ = -1;
  std::string unread_;
};

}  // namespace segue::test
