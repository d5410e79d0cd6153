#include "runtime/descriptor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <future>

#include "runtime/core.hpp"

namespace segue::runtime {
namespace {

// A listening socket on a free port, which another process may have open as well: tests duplicate
// it.
class Listening {
 public:
  Listening() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, address(), sizeof address_) == 0);
    REQUIRE(::listen(socket_, 8) == 0);
    socklen_t size = sizeof address_;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { ::close(socket_); }

  int duplicate() const { return ::fcntl(socket_, F_DUPFD_CLOEXEC, 0); }
  // Connects, and leaves again.
  void knock() const {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(::connect(client, address(), sizeof address_) == 0);
    ::close(client);
  }

 private:
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  int socket_;
  sockaddr_in address_{};
};

struct Woken : Waiter {
  Woken() : Waiter([](Waiter& self, boost::system::error_code) {
    static_cast<Woken&>(self).promise.set_value();
  }) {}
  std::promise<void> promise;
};

TEST_CASE("a connection wakes who waits on a listening socket") {
  const Listening listening;
  Core core(0);
  Descriptor descriptor(core);
  REQUIRE_FALSE(descriptor.open(listening.duplicate(), Watched::listener));
  Woken woken;
  core.start();
  core.ask([&] { descriptor.wait(Way::in, woken, kNever); });
  listening.knock();
  woken.promise.get_future().wait();
  core.ask([&] { descriptor.close(); });
}

TEST_CASE("a listening socket that is closed here and open elsewhere is not heard of again") {
  const Listening listening;
  Core core(0);
  Descriptor descriptor(core);
  Descriptor other(core);
  REQUIRE_FALSE(descriptor.open(listening.duplicate(), Watched::listener));
  REQUIRE_FALSE(other.open(listening.duplicate(), Watched::listener));
  Woken woken;
  core.start();
  core.ask([&] {
    descriptor.close();
    other.wait(Way::in, woken, kNever);
  });
  listening.knock();
  woken.promise.get_future().wait();
  core.ask([&] {
    CHECK_FALSE(descriptor.ready(Way::in));
    other.close();
  });
}

}  // namespace
}  // namespace segue::runtime
