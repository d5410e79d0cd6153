#include "cli/interruption.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace segue::cli {
namespace {

constexpr int kPollMilliseconds = 100;

volatile sig_atomic_t caught = 0;

}  // namespace

void listen_for_interrupts() {
  struct sigaction action{};
  action.sa_handler = [](int) { caught = 1; };
  // Without SA_RESTART: it ends the poll.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

void listen_again() {
  caught = 0;
  listen_for_interrupts();
}

bool interrupted() noexcept {
  return caught != 0;
}

Woken wait_a_while() {
  pollfd output{STDOUT_FILENO, 0, 0};
  const int ready = poll(&output, 1, kPollMilliseconds);
  if (interrupted()) return Woken::interrupt;
  return ready > 0 && (output.revents & POLLERR) != 0 ? Woken::reader_gone : Woken::time;
}

}  // namespace segue::cli
