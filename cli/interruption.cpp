#include "cli/interruption.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/exit_code.hpp"

namespace segue::cli {
namespace {

constexpr int kPollMilliseconds = 100;

volatile sig_atomic_t caught = 0;  // the signal

void catch_once(int number) {
  struct sigaction action {};
  action.sa_handler = [](int came) { caught = came; };
  // Without SA_RESTART: it ends the poll.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(number, &action, nullptr);
}

}  // namespace

void listen_for_interrupts() {
  catch_once(SIGINT);
  catch_once(SIGTERM);
}

void listen_again() {
  caught = 0;
  catch_once(SIGINT);
}

bool interrupted() noexcept { return caught != 0; }

int interrupted_code() noexcept { return caught == SIGTERM ? kFailed : kInterrupted; }

Woken wait_a_while() {
  pollfd output{STDOUT_FILENO, 0, 0};
  const int ready = poll(&output, 1, kPollMilliseconds);
  if (interrupted()) return Woken::interrupt;
  return ready > 0 && (output.revents & POLLERR) != 0 ? Woken::reader_gone : Woken::time;
}

}  // namespace segue::cli
