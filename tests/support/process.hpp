#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {

// How a process ended: an exit status or the signal that killed it.
struct ProcessEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
};

// A child process whose standard error is read line by line through a pipe; its standard output
// goes to a file. Killed and reaped at the end of its scope. One thread.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::filesystem::path& stdout_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits for its end; what it still wrote to standard error is kept.
  ProcessEnd wait(const Deadline& deadline = Deadline{});
  // The next line of standard error, without its end; nullopt at the end of the stream.
  std::optional<std::string> next_error_line(const Deadline& deadline = Deadline{});
  // Everything standard error gave so far.
  const std::string& errors() const { return errors_; }
  // A line of /proc/PID/status in bytes, e.g. "RssAnon".
  std::uint64_t memory(std::string_view field) const;

 private:
  enum class Stream { open, ended };
  Stream read_more_errors(const Deadline& deadline);

  pid_t pid_ = -1;
  Descriptor process_;  // pidfd: readable when the process has ended
  Descriptor stderr_;
  std::string errors_;
  std::size_t line_start_ = 0;
  std::optional<ProcessEnd> end_;
};

struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs a command to its end; a death by signal fails the test.
CommandResult run_command(const std::vector<std::string>& command);

// Paths of the programs under test: of this build, or in the folder that SEGUE_PROGRAMS names.
std::string segue_path();
std::string seguectl_path();
// Whether their memory says something: a sanitizer's shadow memory is not theirs, and programs of
// another build may have one.
bool memory_counts();

}  // namespace segue::test
