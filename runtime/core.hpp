#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "runtime/deadline_wheel.hpp"

namespace segue::runtime {

using Executor = boost::asio::io_context::executor_type;

// One thread with one io_context: the whole world of what runs on it. Nothing on it is locked;
// other threads reach it only by post(). The io_context is told so (UNSAFE_IO: its reactor takes
// no locks, its queue does).
class Core {
 public:
  explicit Core(unsigned index);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();  // stops and joins

  // Starts the thread; with `cpu` >= 0 it stays on that CPU.
  void start(int cpu = -1);
  // From any thread: the loop ends after the handler that runs now. What still waits is dropped.
  void stop();
  void join();

  // From any thread: runs `call` on the core.
  template <class Call>
  void post(Call&& call) {
    boost::asio::post(context_, std::forward<Call>(call));
  }
  // From any other thread: runs `call` on the core and waits for what it returns.
  template <class Call>
  auto ask(Call call) -> decltype(call()) {
    std::packaged_task<decltype(call())()> question(std::move(call));
    auto answer = question.get_future();
    post([&question] { question(); });
    return answer.get();
  }

  unsigned index() const noexcept { return index_; }
  boost::asio::io_context& context() noexcept { return context_; }
  Executor executor() noexcept { return context_.get_executor(); }
  DeadlineWheel& wheel() noexcept { return wheel_; }

 private:
  void tick();

  unsigned index_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<Executor> work_;
  DeadlineWheel wheel_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
      ticker_;
  std::thread thread_;
};

// How many cores to run: CPU affinity, and the cgroup's CPU quota rounded up; at least 1.
unsigned usable_cpus();

}  // namespace segue::runtime
