// A backend for benchmarks: answers every request without a body with 200 bytes of JSON after a
// fixed time, or never. One thread, keep-alive, pipelining not needed.
//
//   bench_slow_backend PORT MILLISECONDS|never
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

std::int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Due {
  std::int64_t at;
  int descriptor;
  std::uint64_t connection;  // descriptors are used again
};

struct Connection {
  std::uint64_t number = 0;
  std::string received;
};

class SlowBackend {
 public:
  SlowBackend(std::uint16_t port, std::int64_t delay_ns) : delay_ns_(delay_ns) {
    const std::string body =
        R"({"id":42,"name":"Music stand","note":")" + std::string(160, 'x') + "\"}";
    answer_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body;
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4096) != 0) {
      std::perror("bench_slow_backend");
      std::exit(2);
    }
    epoll_ = epoll_create1(0);
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      timespec wait{};
      const std::int64_t left =
          due_.empty() ? -1 : std::max<std::int64_t>(0, due_.front().at - now_ns());
      wait.tv_sec = left / 1'000'000'000;
      wait.tv_nsec = left % 1'000'000'000;
      const int told = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                    left < 0 ? nullptr : &wait, nullptr);
      for (int i = 0; i < told; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == listener_)
          accept_all();
        else
          receive(descriptor);
      }
      answer_due();
    }
  }

 private:
  void watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void accept_all() {
    for (;;) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (descriptor < 0) return;
      const int on = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[descriptor] = {++last_number_, {}};
      watch(descriptor);
    }
  }

  void receive(int descriptor) {
    std::array<char, 16384> bytes;
    const ssize_t got = recv(descriptor, bytes.data(), bytes.size(), 0);
    if (got <= 0) {
      connections_.erase(descriptor);
      close(descriptor);
      return;
    }
    Connection& connection = connections_[descriptor];
    connection.received.append(bytes.data(), static_cast<std::size_t>(got));
    for (;;) {
      const std::size_t end = connection.received.find("\r\n\r\n");
      if (end == std::string::npos) return;
      connection.received.erase(0, end + 4);
      if (delay_ns_ >= 0) due_.push_back({now_ns() + delay_ns_, descriptor, connection.number});
    }
  }

  void answer_due() {
    const std::int64_t now = now_ns();
    for (; !due_.empty() && due_.front().at <= now; due_.pop_front()) {
      const auto found = connections_.find(due_.front().descriptor);
      if (found == connections_.end() || found->second.number != due_.front().connection) continue;
      if (send(found->first, answer_.data(), answer_.size(), MSG_NOSIGNAL) < 0) continue;
    }
  }

  std::int64_t delay_ns_;
  std::string answer_;
  int listener_ = -1;
  int epoll_ = -1;
  std::uint64_t last_number_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::deque<Due> due_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: bench_slow_backend PORT MILLISECONDS|never\n");
    return 2;
  }
  const bool never = std::string_view(arguments[2]) == "never";
  const std::int64_t delay = never ? -1 : std::atoll(arguments[2]) * 1'000'000;
  SlowBackend(static_cast<std::uint16_t>(std::atoi(arguments[1])), delay).run();
}
