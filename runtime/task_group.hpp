#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>

#include "runtime/task.hpp"

namespace segue::runtime {

// Where tasks that nobody awaits belong: the only place that starts one. Used by one thread.
// Last member of its owner, so that nothing a task uses goes before it: the destructor demands
// that the group is empty.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // Runs `task` until it first waits. An exception that leaves it is one of allocation: it is
  // counted and the task is over.
  void spawn(Task<void> task);

  std::size_t size() const noexcept { return size_; }
  std::size_t failed() const noexcept { return failed_; }

 private:
  struct Root;
  static Root run(TaskGroup& group, Task<void> task);

  std::size_t size_ = 0;
  std::size_t failed_ = 0;
};

// One task that runs beside the one that made it, which joins it before it goes: upload beside
// download. Both on one thread.
class Fork {
 public:
  Fork() = default;
  Fork(const Fork&) = delete;
  Fork& operator=(const Fork&) = delete;
  ~Fork();

  // Starts `task`; one at a time.
  void start(Task<void> task);
  bool running() const noexcept { return running_; }

  // Waits for the end; at once when nothing runs. Rethrows what left the task.
  struct Join {
    Fork& fork;
    bool await_ready() const noexcept { return !fork.running_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { fork.waiter_ = waiter; }
    void await_resume() const {
      if (auto failure = std::exchange(fork.failure_, nullptr)) std::rethrow_exception(failure);
    }
  };
  Join join() noexcept { return Join{*this}; }

 private:
  struct Root;
  static Root run(Fork& fork, Task<void> task);

  bool running_ = false;
  std::coroutine_handle<> waiter_;
  std::exception_ptr failure_;
};

}  // namespace segue::runtime
