#include "cli/supervisor.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace segue::cli {

Supervisor::Supervisor() {
  const char* const socket = ::getenv("NOTIFY_SOCKET");
  if (socket != nullptr) socket_ = socket;
  ::unsetenv("NOTIFY_SOCKET");
}

void Supervisor::say_ready() const {
  say(fmt::format("READY=1\nMAINPID={}", ::getpid()));
}

void Supervisor::say_stopping() const {
  say("STOPPING=1");
}

// A manager that does not listen is no reason not to serve: failures are passed over.
void Supervisor::say(std::string_view state) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';  // Linux's abstract names
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), size);
  ::close(descriptor);
}

}  // namespace segue::cli
