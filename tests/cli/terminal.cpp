#include "tests/cli/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace segue::test {

Terminal::Terminal(const std::vector<std::string>& command,
                   const std::vector<std::string>& environment) {
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  int terminal = -1;
  winsize size{};
  size.ws_row = 24;
  size.ws_col = 200;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ < 0) fail_with_errno("making a terminal");
  if (pid_ == 0) {
    for (const std::string& one : environment) ::putenv(const_cast<char*>(one.c_str()));
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  terminal_ = Descriptor(terminal);
}

Terminal::~Terminal() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::press(std::string_view keys) {
  while (!keys.empty()) {
    const ssize_t written = ::write(terminal_.get(), keys.data(), keys.size());
    if (written < 0) fail_with_errno("pressing a key");
    keys.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string Terminal::read_until(std::string_view text, const Deadline& deadline) {
  std::size_t from = 0;  // what is before it was looked at
  for (;;) {
    const std::size_t found = unread_.find(text, from);
    if (found != std::string::npos) {
      std::string read = unread_.substr(0, found + text.size());
      unread_.erase(0, found + text.size());
      return read;
    }
    from = unread_.size() - std::min(unread_.size(), text.size());
    pollfd ready{terminal_.get(), POLLIN, 0};
    char octets[4096];
    ssize_t count = -1;
    if (::poll(&ready, 1, deadline.left()) == 1)
      count = ::read(terminal_.get(), octets, sizeof octets);
    if (count <= 0)
      throw TestFailure("the terminal never said '" + std::string(text) + "', but: " + unread_);
    unread_.append(octets, static_cast<std::size_t>(count));
  }
}

std::string Terminal::read_prompt(std::string_view prompt, const Deadline& deadline) {
  std::string read = read_until(prompt, deadline);
  for (termios now{}; deadline.left() > 0; std::this_thread::yield())
    if (::tcgetattr(terminal_.get(), &now) == 0 && (now.c_lflag & ICANON) == 0) return read;
  throw TestFailure("the terminal goes on taking whole lines");
}

int Terminal::wait(const Deadline& deadline) {
  // Its end hangs up; what it still writes must be read, or it waits for us.
  char octets[4096];
  pollfd ready{terminal_.get(), POLLIN, 0};
  for (ssize_t count = 1; count > 0;) {
    if (::poll(&ready, 1, deadline.left()) != 1) throw TestFailure("the program did not end");
    count = ::read(terminal_.get(), octets, sizeof octets);
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail_with_errno("waiting for a program");
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace segue::test
