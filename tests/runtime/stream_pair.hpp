#pragma once

#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <future>
#include <string>

#include "runtime/stream.hpp"
#include "runtime/task_group.hpp"

// What tests of streams are made of.
namespace segue::runtime {

inline MonotonicNs soon(int millis) {
  return after(monotonic_now(), std::chrono::milliseconds(millis));
}
inline MonotonicNs generous() {
  return soon(20'000);
}

// A core with a thread, and a pair of connected streams on it.
struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    REQUIRE_FALSE(left.assign(ends[0]));
    REQUIRE_FALSE(right.assign(ends[1]));
    right_socket = ends[1];
    core.start();
  }
  ~Pair() {
    core.ask([this] {
      left.close();
      right.close();
    });
    while (core.ask([this] { return group.size(); }) != 0) {
    }
    core.stop();
    core.join();
  }

  // Of `right`; the kernel makes more of what is too little.
  void set_send_buffer(int bytes) const {
    REQUIRE(setsockopt(right_socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
  }

  // Runs a task on the core and waits for its result.
  template <class T>
  T run(Task<T> task) {
    std::promise<T> done;
    auto result = done.get_future();
    core.post([this, &done, &task] { group.spawn(deliver(std::move(task), done)); });
    return result.get();
  }
  template <class T>
  static Task<void> deliver(Task<T> task, std::promise<T>& done) {
    done.set_value(co_await task);
  }

  Core core{0};
  Stream left{core};
  Stream right{core};
  int right_socket = -1;
  TaskGroup group;
};

inline Task<Transfer> read_once(Stream& stream, std::string& into, MonotonicNs expiry) {
  into.resize(64);
  const std::span<char> room(into);
  const Transfer got = co_await stream.read_some(room, expiry);
  into.resize(got.bytes);
  co_return got;
}

inline Task<Transfer> write_all(Stream& stream, std::string text, MonotonicNs patience) {
  iovec piece{text.data(), text.size()};
  const std::span<iovec> pieces(&piece, 1);
  co_return co_await stream.write(pieces, patience);
}

inline Task<std::size_t> read_to_end(Stream& stream) {
  std::string room(65'536, '\0');
  std::size_t total = 0;
  for (;;) {
    const std::span<char> into(room);
    const Transfer got = co_await stream.read_some(into, generous());
    if (got.bytes == 0) co_return total;
    total += got.bytes;
  }
}

}  // namespace segue::runtime
