#include "cli/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "exchange/error.hpp"

namespace segue::cli {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0)
    throw StartupError(std::string("cannot wait for signals: ") + std::strerror(errno) +
                       "; raise the limit of open files");
}

Signals::~Signals() {
  ::close(descriptor_);
}

Signals::Came Signals::wait_for(milliseconds limit, int event) const {
  std::array<pollfd, 2> wanted{pollfd{descriptor_, POLLIN, 0}, pollfd{event, POLLIN, 0}};
  const auto most = std::clamp<std::int64_t>(limit.count(), 0, 3'600'000);
  if (::poll(wanted.data(), wanted.size(), static_cast<int>(most)) <= 0) return Came::nothing;
  signalfd_siginfo told{};
  if (wanted[0].revents != 0 && ::read(descriptor_, &told, sizeof told) == sizeof told)
    return told.ssi_signo == SIGHUP ? Came::reload : Came::end;
  return wanted[1].revents != 0 ? Came::event : Came::nothing;
}

Signals::Came Signals::end_or(int event, milliseconds limit) const {
  const auto end = steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const Came came = wait_for(std::max(milliseconds(0), left), event);
    if (came == Came::end || came == Came::event) return came;
    if (steady_clock::now() >= end) return Came::nothing;
  }
}

bool Signals::end_within(milliseconds limit) const {
  return end_or(-1, limit) == Came::end;
}

}  // namespace segue::cli
