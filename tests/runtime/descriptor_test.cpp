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

// Two cores that accept from one socket; the kernel asks the first one first.
struct TwoCores {
  TwoCores() {
    REQUIRE_FALSE(first.open(listening.duplicate(), Watched::listener));
    REQUIRE_FALSE(second.open(listening.duplicate(), Watched::listener));
    one.start();
    two.start();
    one.ask([&] { first.wait(Way::in, first_woken, kNever); });
    two.ask([&] { second.wait(Way::in, second_woken, kNever); });
  }
  // What still waits ends with operation_aborted, while the cores run.
  ~TwoCores() {
    one.ask([&] { first.close(); });
    two.ask([&] { second.close(); });
    one.stop();
    two.stop();
    one.join();
    two.join();
  }
  TwoCores(const TwoCores&) = delete;
  TwoCores& operator=(const TwoCores&) = delete;

  const Listening listening;
  Core one{0};
  Core two{1};
  Woken first_woken;
  Woken second_woken;
  Descriptor first{one};
  Descriptor second{two};
};

TEST_CASE("what comes while a listening socket rests on one core is another core's") {
  TwoCores cores;
  cores.one.ask([&] { cores.first.rest(); });
  cores.listening.knock();
  cores.second_woken.promise.get_future().wait();
  cores.one.ask([&] { CHECK_FALSE(cores.first.ready(Way::in)); });
}

TEST_CASE("who queues up for a listening socket is woken after the others") {
  TwoCores cores;
  cores.one.ask([&] { CHECK(cores.first.queue_up()); });
  cores.listening.knock();
  cores.second_woken.promise.get_future().wait();
}

TEST_CASE("who queues up for a listening socket is told of what is queued already") {
  TwoCores cores;
  cores.one.ask([&] { cores.first.rest(); });
  cores.listening.knock();
  cores.second_woken.promise.get_future().wait();
  cores.one.ask([&] { CHECK(cores.first.queue_up()); });
  cores.first_woken.promise.get_future().wait();
}

}  // namespace
}  // namespace segue::runtime
