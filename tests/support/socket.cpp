#include "tests/support/socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace segue::test {
namespace {

void wait_for(int fd, short events, const Deadline& deadline, const char* doing) {
  pollfd wanted{fd, events, 0};
  const int count = ::poll(&wanted, 1, deadline.left());
  if (count < 0) fail_with_errno(doing);
  if (count == 0) throw TestFailure(std::string(doing) + ": nothing happened in time");
}

}  // namespace

Socket Socket::connect(std::uint16_t port, int receive_buffer) {
  Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) fail_with_errno("socket");
  if (receive_buffer > 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail_with_errno("connect to 127.0.0.1:" + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Socket(std::move(fd));
}

Socket Socket::connect(const std::filesystem::path& path) {
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) fail_with_errno("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) throw TestFailure("too long for a socket: " + text);
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail_with_errno("connect to " + text);
  return Socket(std::move(fd));
}

std::size_t Socket::send_what_is_taken(std::string_view bytes, const Deadline& deadline) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto count =
        ::send(fd_.get(), bytes.data() + taken, bytes.size() - taken, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      taken += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      wait_for(fd_.get(), POLLOUT, deadline, "sending");
    } else {
      return taken;
    }
  }
  return taken;
}

void Socket::send(std::string_view bytes, const Deadline& deadline) {
  if (send_what_is_taken(bytes, deadline) != bytes.size()) {
    throw TestFailure("the peer closed before it had taken everything");
  }
}

Received Socket::receive(std::string& buffer, const Deadline& deadline) {
  wait_for(fd_.get(), POLLIN, deadline, "receiving");
  std::array<char, 64 << 10> piece;
  const auto count = ::recv(fd_.get(), piece.data(), piece.size(), 0);
  if (count < 0) return Received::reset;
  if (count == 0) return Received::end;
  buffer.append(piece.data(), static_cast<std::size_t>(count));
  return Received::bytes;
}

bool Socket::readable_now() const {
  pollfd wanted{fd_.get(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 1;
}

void Socket::finish_sending() noexcept {
  ::shutdown(fd_.get(), SHUT_WR);
}

void Socket::shut_down() noexcept {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

void Socket::reset() noexcept {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.close();
}

}  // namespace segue::test
