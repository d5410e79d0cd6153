#include "tests/support/scripted_backend.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace segue::test {
namespace {

std::uint16_t bind_to_free_port(int fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail_with_errno("bind");
  }
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail_with_errno("getsockname");
  }
  return ntohs(address.sin_port);
}

}  // namespace

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

ScriptedBackend::ScriptedBackend(Script script) : script_(std::move(script)) {
  listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener_) fail_with_errno("socket");
  port_ = bind_to_free_port(listener_.get());
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
  const Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return bind_to_free_port(fd.get());
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
