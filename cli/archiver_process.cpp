#include "cli/archiver_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "cli/signals.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

using std::chrono::milliseconds;

constexpr const char* kProgram = "seguectl";
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{10'000};
// One that ran so long was well: the next end is looked at anew.
constexpr milliseconds kWell{30'000};
constexpr milliseconds kPoll{20};
// Who waits for this process's end (systemd starts the next one then) waits for these, too. A claim
// that is being written is finished within the first; the last round is for what was recorded since.
constexpr milliseconds kEnd{3'000};
constexpr milliseconds kLastRound{5'000};
constexpr int kNiceness = 10;

std::filesystem::path beside_this() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path program = self.parent_path() / kProgram;
  if (error || ::access(program.c_str(), X_OK) != 0)
    throw StartupError(fmt::format(
        "--archive needs {} beside segue, and there is none at {}; put it there, or run `seguectl "
        "archive` as a service of its own",
        kProgram, program.string()));
  return program;
}

std::string file_of(const std::string& configuration) {
  if (configuration == "-")
    throw StartupError(
        "--archive needs the configuration in a file: standard input is read only once");
  return configuration;
}

// In the child, which shares the parent's memory until it executes: system calls only.
void prepare_child(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  // Before requests are hurt it goes; it comes again, and nothing is lost.
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    const ssize_t written = ::write(score, "500", 3);
    static_cast<void>(written);
    ::close(score);
  }
  // Standard output is the gateway's access log.
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// vfork(2), for a fork would copy the page tables of the whole gateway, and its cores would pay for
// that with page faults.
pid_t spawn(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::vfork();
  if (child == 0) {
    prepare_child(parent);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  return child;
}

}  // namespace

ArchiverProcess::ArchiverProcess(const std::string& configuration,
                                 const config::Settings& settings)
    : program_(beside_this()),
      configuration_(file_of(configuration)),
      from_journal_(settings.archive.from == warehouse::ArchiveFrom::journal),
      pause_(kFirstPause) {}

ArchiverProcess::~ArchiverProcess() { kill_now(); }

void ArchiverProcess::launch(const std::vector<std::string>& command) {
  launched_at_ = Clock::now();
  child_ = spawn(command);
  if (child_ < 0)
    fmt::print(stderr, "segue: cannot start the archiver: {}; it is tried again\n",
               std::strerror(errno));
  up_.store(child_ >= 0);
}

void ArchiverProcess::start() {
  started_ = true;
  launch({program_.string(), "archive", "-c", configuration_, "--metrics", metrics_.string()});
}

std::string ArchiverProcess::metrics() const {
  std::ifstream file(metrics_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool ArchiverProcess::has_ended() {
  if (child_ < 0) return true;
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
  child_ = -1;
  up_.store(false);
  if (!dismissed_) say_end(status);
  return true;
}

void ArchiverProcess::say_end(int status) const {
  if (WIFSIGNALED(status))
    fmt::print(stderr, "segue: the archiver was ended by signal {} ({})\n", WTERMSIG(status),
               ::strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != 0)
    fmt::print(stderr, "segue: the archiver ended with exit code {}\n", WEXITSTATUS(status));
}

void ArchiverProcess::look_after() {
  if (!started_ || dismissed_) return;
  const Clock::time_point now = Clock::now();
  if (up_.load()) {
    if (!has_ended()) return;
    if (now - launched_at_ >= kWell) pause_ = kFirstPause;
    next_start_ = now + pause_;
    pause_ = std::min(pause_ * 2, kLongestPause);
  }
  if (now < next_start_) return;
  restarts_.fetch_add(1);
  next_start_ = now + pause_;
  start();
}

void ArchiverProcess::dismiss() {
  dismissed_ = true;
  if (!has_ended()) ::kill(child_, SIGTERM);
}

bool ArchiverProcess::await_end(const Signals& signals, milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  while (!has_ended()) {
    if (Clock::now() >= until || signals.end_within(kPoll)) {
      kill_now();
      return false;
    }
  }
  return true;
}

void ArchiverProcess::kill_now() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  up_.store(false);
}

// Killed at any moment it leaves nothing half done.
void ArchiverProcess::finish(const Signals& signals) {
  if (!started_) return;
  dismiss();
  const bool ended = await_end(signals, kEnd);
  if (!ended || !from_journal_) return;
  dismissed_ = false;
  launch({program_.string(), "archive", "-c", configuration_, "--once"});
  if (child_ < 0 || await_end(signals, kLastRound)) return;
  fmt::print(stderr,
             "segue: not all is archived; the rest stays in the journal for the next archiver\n");
}

}  // namespace segue::cli
