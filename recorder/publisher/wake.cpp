#include "recorder/publisher/wake.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "exchange/error.hpp"

namespace segue::recorder {

Wake::Wake() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_ < 0)
    throw StartupError("kafka: no file descriptor is left for the publisher: raise the limit");
}

Wake::~Wake() {
  ::close(event_);
}

void Wake::ring() noexcept {
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then a wait ends anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);
}

void Wake::wait(std::chrono::milliseconds at_most) noexcept {
  pollfd waited{.fd = event_, .events = POLLIN, .revents = 0};
  const auto milliseconds = std::clamp<std::chrono::milliseconds::rep>(at_most.count(), 0, 60'000);
  if (::poll(&waited, 1, static_cast<int>(milliseconds)) <= 0) return;
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t taken = ::read(event_, &rings, sizeof rings);
}

}  // namespace segue::recorder
