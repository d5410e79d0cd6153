#include "tests/support/scripted_backend.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace segue::test {

Descriptor bound_socket(const std::string& address, std::uint16_t port) {
  Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) fail_with_errno("socket");
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1) fail_with_errno(address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    fail_with_errno("bind");
  }
  return fd;
}

Descriptor bound_socket(const std::filesystem::path& file) {
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) fail_with_errno("socket");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (file.native().size() >= sizeof name.sun_path) throw TestFailure("too long for a socket");
  std::memcpy(name.sun_path, file.c_str(), file.native().size());
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    fail_with_errno("bind");
  }
  return fd;
}

std::uint16_t port_of(const Descriptor& bound) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(bound.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    fail_with_errno("getsockname");
  }
  if (name.ss_family != AF_INET) return 0;
  return ntohs(reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

void Event::set() {
  const std::lock_guard lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

void Event::wait(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline.at(), [this] { return set_; })) {
    throw TestFailure("an event did not come in time");
  }
}

std::optional<Message> BackendConnection::request() {
  auto message = reader_.request();
  if (message) backend_.record(*message);
  return message;
}

std::optional<Message> BackendConnection::request_head() {
  auto message = reader_.head();
  if (message) backend_.record(*message);
  return message;
}

ScriptedBackend::ScriptedBackend(Script script)
    : ScriptedBackend(std::move(script), bound_socket()) {}

ScriptedBackend::ScriptedBackend(Script script, Descriptor bound)
    : script_(std::move(script)), listener_(std::move(bound)), port_(port_of(listener_)) {
  if (::listen(listener_.get(), SOMAXCONN) != 0) fail_with_errno("listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedBackend::~ScriptedBackend() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (auto& peer : peers_) peer.socket.shut_down();
  }
  for (auto& peer : peers_) peer.thread.join();
}

void ScriptedBackend::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    Peer& peer = peers_.emplace_back(Peer{Socket(Descriptor(fd)), {}});
    peer.thread = std::thread([this, &peer] {
      BackendConnection connection(*this, peer.socket);
      try {
        script_(connection);
      } catch (const TestFailure& failure) {
        fmt::print(stderr, "a backend's script failed: {}\n", failure.what());
      }
      const std::lock_guard closing(mutex_);  // the destructor shuts sockets down meanwhile
      if (connection.reset_wanted()) {
        peer.socket.reset();
      } else {
        peer.socket.close();
      }
    });
  }
}

void ScriptedBackend::record(const Message& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  changed_.notify_all();
}

std::vector<Message> ScriptedBackend::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedBackend::connections() const {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

std::vector<Message> ScriptedBackend::wait_for_requests(std::size_t count,
                                                        const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline.at(), [&] { return requests_.size() >= count; })) {
    throw TestFailure(fmt::format("{} of {} requests came", requests_.size(), count));
  }
  return requests_;
}

std::uint16_t closed_port() {
  return port_of(bound_socket());
}

ScriptedBackend::Script answer_always(std::string response) {
  return [response = std::move(response)](BackendConnection& connection) {
    while (const auto request = connection.request()) connection.send(response);
  };
}

std::string response_with(int status, std::string_view body, std::string_view more_fields) {
  return fmt::format("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     more_fields, body);
}

}  // namespace segue::test
