#include "tests/support/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "tests/support/temp_dir.hpp"

extern char** environ;

namespace segue::test {
namespace {

// Signals that the test process ignores (SIGPIPE) must not be ignored in the program under test.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnFiles {
 public:
  SpawnFiles(const std::filesystem::path& out, int err) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, out.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
  }
  ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

Process::Process(const std::vector<std::string>& command,
                 const std::filesystem::path& stdout_file) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_with_errno("pipe");
  stderr_ = Descriptor(ends[0]);
  const Descriptor write_end(ends[1]);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const SpawnFiles files(stdout_file, write_end.get());
  const SpawnAttributes attributes;
  const int error =
      ::posix_spawnp(&pid_, arguments[0], files.get(), attributes.get(), arguments.data(), environ);
  if (error != 0) {
    errno = error;
    fail_with_errno("cannot start " + command.front());
  }
  process_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_) fail_with_errno("pidfd_open");
}

Process::~Process() {
  if (end_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (::kill(pid_, number) != 0) fail_with_errno("kill");
}

ProcessEnd Process::wait(const Deadline& deadline) {
  if (end_) return *end_;
  // A full pipe would keep the process from ending: read while waiting.
  while (stderr_ && read_more_errors(deadline) == Stream::open) {
  }
  pollfd ended{process_.get(), POLLIN, 0};
  if (::poll(&ended, 1, deadline.left()) != 1) throw TestFailure("the process does not end");
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail_with_errno("waitpid");
  end_.emplace();
  if (WIFEXITED(status)) end_->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end_->signal = WTERMSIG(status);
  return *end_;
}

// Ends at the end of the stream, or of the process: a grandchild may hold the pipe longer.
Process::Stream Process::read_more_errors(const Deadline& deadline) {
  std::array<pollfd, 2> ready{pollfd{stderr_.get(), POLLIN, 0}, pollfd{process_.get(), POLLIN, 0}};
  if (::poll(ready.data(), ready.size(), deadline.left()) <= 0) {
    throw TestFailure("nothing more on standard error in time; so far:\n" + errors_);
  }
  if (ready[0].revents == 0) return Stream::ended;
  std::array<char, 4096> piece{};
  const auto count = ::read(stderr_.get(), piece.data(), piece.size());
  if (count <= 0) {
    stderr_.close();
    return Stream::ended;
  }
  errors_.append(piece.data(), static_cast<std::size_t>(count));
  return Stream::open;
}

std::optional<std::string> Process::next_error_line(const Deadline& deadline) {
  for (;;) {
    const auto end = errors_.find('\n', line_start_);
    if (end != std::string::npos) {
      auto line = errors_.substr(line_start_, end - line_start_);
      line_start_ = end + 1;
      return line;
    }
    if (!stderr_ || read_more_errors(deadline) == Stream::ended) return std::nullopt;
  }
}

std::uint64_t Process::memory(std::string_view field) const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(fmt::format("{}:", field))) continue;
    const auto digits = line.find_first_of("0123456789");
    std::uint64_t kibibytes = 0;
    std::from_chars(line.data() + digits, line.data() + line.size(), kibibytes);
    return kibibytes << 10;
  }
  throw TestFailure("no " + std::string(field) + " of the process");
}

CommandResult run_command(const std::vector<std::string>& command) {
  const TempDir folder;
  Process process(command, folder / "stdout");
  const auto end = process.wait();
  if (!end.exit_code) {
    throw TestFailure(fmt::format("{} died of signal {}:\n{}", command.front(),
                                  end.signal.value_or(0), process.errors()));
  }
  return {*end.exit_code, read_whole_file(folder / "stdout"), process.errors()};
}

namespace {

// Programs of another build are tested by the same tests: nothing of the product is in those.
std::string program(std::string_view name) {
  const char* const folder = std::getenv("SEGUE_PROGRAMS");
  return fmt::format("{}/{}", folder == nullptr ? SEGUE_TEST_BINARIES : folder, name);
}

}  // namespace

bool memory_counts() {
#ifdef SEGUE_SANITIZED
  return false;
#else
  return std::getenv("SEGUE_PROGRAMS") == nullptr;
#endif
}

std::string segue_path() {
  return program("segue");
}
std::string seguectl_path() {
  return program("seguectl");
}

}  // namespace segue::test
