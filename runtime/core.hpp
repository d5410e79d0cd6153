#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <functional>
#include <future>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/deadline_wheel.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/owned_descriptor.hpp"

struct epoll_event;

namespace segue::runtime {

using Executor = boost::asio::io_context::executor_type;

// One thread, the whole world of what runs on it. Nothing on it is locked; other threads reach it
// only by post().
//
// Its loop waits on an epoll set of its own for the descriptors of the data path, moves the
// deadlines every tick, and lets its io_context do what is left: messages from other threads and
// name resolution (docs/decisions/0001-own-task-type.md says why and what it saves).
class Core {
 public:
  // Throws StartupError when the kernel gives no epoll set.
  explicit Core(unsigned index);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();  // stops and joins

  // Starts the thread; with `cpu` >= 0 it stays on that CPU.
  void start(int cpu = -1);
  // The loop itself, for who has a thread for it: returns after stop().
  void run();
  // From any thread: the loop ends after what it does now. What still waits is dropped.
  void stop();
  void join();

  // From any thread: runs `call` on the core.
  template <class Call>
  void post(Call&& call) {
    boost::asio::post(context_, std::forward<Call>(call));
    interrupt();
  }
  // From any other thread: runs `call` on the core and waits for what it returns.
  template <class Call>
  auto ask(Call call) -> decltype(call()) {
    std::packaged_task<decltype(call())()> question(std::move(call));
    auto answer = question.get_future();
    post([&question] { question(); });
    return answer.get();
  }
  // On the core: wakes from the loop, before it waits again.
  void wake_later(Waiter& waiter, boost::system::error_code why) {
    later_.push_back({&waiter, why});
  }
  // On the core: wakes from a later turn of the loop, after the kernel was asked again what came.
  // First come, first served, and not more in one turn than kTurnNs allows: for work that can wait,
  // cut into short steps.
  void wake_in_turn(Waiter& waiter) { in_turn_.push_back(&waiter); }

  unsigned index() const noexcept { return index_; }
  Executor executor() noexcept { return context_.get_executor(); }
  DeadlineWheel& wheel() noexcept { return wheel_; }

 private:
  friend class Descriptor;
  struct Late {
    Waiter* waiter;
    boost::system::error_code why;
  };
  int epoll() const noexcept { return epoll_.get(); }
  // A descriptor closes: what the kernel told of it in this turn is void.
  void forget(const Descriptor& descriptor) noexcept;
  void interrupt() noexcept;
  void dispatch(std::span<epoll_event> events);
  void wake_late();
  void wake_those_in_turn();

  static constexpr MonotonicNs kTurnNs = 100'000;

  unsigned index_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<Executor> work_;
  OwnedDescriptor epoll_;
  OwnedDescriptor event_;
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> stopping_{false};
  DeadlineWheel wheel_;
  std::vector<Late> later_;
  std::deque<Waiter*> in_turn_;
  std::span<epoll_event> in_hand_;  // told by the kernel and not dispatched yet
  std::thread thread_;
};

// How many cores to run: CPU affinity, and the cgroup's CPU quota rounded up; at least 1.
unsigned usable_cpus();

}  // namespace segue::runtime
