#pragma once

#include <boost/system/error_code.hpp>
#include <coroutine>
#include <cstdint>

#include "runtime/deadline_wheel.hpp"

namespace segue::runtime {

class Core;

// What waits for a descriptor. `wake` is called once, from the event loop: without an error when
// the descriptor became ready, else with timed_out or operation_aborted.
struct Waiter {
  using Wake = void (*)(Waiter& self, boost::system::error_code why);
  explicit Waiter(Wake call) noexcept : wake(call) {}
  Wake wake;
};

enum class Way : std::uint8_t { in, out };

// What kind of socket is watched, and so what the kernel is asked to tell of it.
enum class Watched : std::uint8_t {
  connection,
  // Accepts. The socket may be open elsewhere too, on other cores and in other processes: one that
  // waits is woken by a connection, not all (EPOLLEXCLUSIVE).
  listener,
};

// A non-blocking descriptor of one core and what is known of its readiness. Registered once,
// edge-triggered (epoll(7)): after that, waiting costs no system call. A flag says ready until a
// system call said otherwise, so nobody tries in vain. Immovable, closed with its scope; nothing
// may wait then. At most one waiter each way.
class Descriptor {
 public:
  explicit Descriptor(Core& core) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  // Takes over `descriptor`, which must not block.
  boost::system::error_code open(int descriptor, Watched kind = Watched::connection) noexcept;
  // What waits ends with operation_aborted.
  void close() noexcept;
  int get() const noexcept { return descriptor_; }
  bool is_open() const noexcept { return descriptor_ >= 0; }

  bool ready(Way way) const noexcept { return ready_[index(way)]; }
  // A system call would have blocked, or took all there was: the next event says more.
  void exhausted(Way way) noexcept;
  // A call said would_block: also where the peer has ended.
  void blocked(Way way) noexcept { ready_[index(way)] = false; }
  // Asks the kernel to say once more what is ready, in the next turn of the loop. Of a connection.
  void ask_again() noexcept;
  // Of a listener: it is told of nothing, and who else has the socket is told of all that comes.
  // What it was told of and did not take nobody is told of again.
  void rest() noexcept;
  // Of a listener, whether it rests or not: the last of those who have the socket to be woken, and
  // told at once when something is queued. False: the kernel has no room for it, and it rests.
  [[nodiscard]] bool queue_up() noexcept;
  // Readable, for what the kernel told last: false means that nothing came since.
  bool anything_to_read() const noexcept { return ready_[0]; }
  // The peer has ended its sending or the connection broke, as far as the kernel told.
  bool peer_ended() const noexcept { return ended_; }

  bool waited_for(Way way) const noexcept { return waiting_[index(way)] != nullptr; }
  void wait(Way way, Waiter& waiter, MonotonicNs expiry) noexcept;
  // Moves the expiry of what waits now; nothing when nothing does.
  void expect_by(Way way, MonotonicNs expiry) noexcept;
  // Ends what waits, with operation_aborted.
  void cancel() noexcept;

  // Waits until ready: `Descriptor::Until ready(descriptor, way, expiry); ec = co_await ready;`
  class Until;

 private:
  friend class Core;
  static std::size_t index(Way way) noexcept { return static_cast<std::size_t>(way); }
  bool watch(int operation) noexcept;
  void on_events(std::uint32_t events) noexcept;
  void end(Way way, boost::system::error_code why) noexcept;
  void wake(Way way, boost::system::error_code why) noexcept;

  Core& core_;
  int descriptor_ = -1;
  Watched kind_ = Watched::connection;
  bool ready_[2] = {false, false};
  bool* gone_ = nullptr;  // tells on_events() that this was destroyed by whom it woke
  bool ended_ = false;    // the peer ended or the connection broke: reading says so at once
  Waiter* waiting_[2] = {nullptr, nullptr};
  Deadline in_deadline_;
  Deadline out_deadline_;
};

class Descriptor::Until : Waiter {
 public:
  Until(Descriptor& descriptor, Way way, MonotonicNs expiry) noexcept
      : Waiter([](Waiter& self, boost::system::error_code why) {
          auto& until = static_cast<Until&>(self);
          until.result_ = why;
          until.resume_.resume();
        }),
        descriptor_(descriptor),
        way_(way),
        expiry_(expiry) {}
  bool await_ready() const noexcept { return descriptor_.ready(way_); }
  void await_suspend(std::coroutine_handle<> resume) noexcept {
    resume_ = resume;
    descriptor_.wait(way_, *this, expiry_);
  }
  boost::system::error_code await_resume() const noexcept { return result_; }

 private:
  Descriptor& descriptor_;
  Way way_;
  MonotonicNs expiry_;
  boost::system::error_code result_;
  std::coroutine_handle<> resume_;
};

}  // namespace segue::runtime
