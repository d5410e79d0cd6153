#include "runtime/task_group.hpp"

#include <new>

#include "exchange/ensure.hpp"

namespace segue::runtime {
namespace {

// Promise of a coroutine that starts at once and frees itself at its end.
struct RootPromise {
  static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    FramePool::release(frame, bytes);
  }
  std::suspend_never initial_suspend() noexcept { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void return_void() noexcept {}
  void unhandled_exception() noexcept { ensure(false, "a root coroutine catches everything"); }
};

}  // namespace

struct TaskGroup::Root {
  struct promise_type : RootPromise {
    Root get_return_object() noexcept { return {}; }
  };
};

TaskGroup::~TaskGroup() {
  ensure(size_ == 0, "a task group is empty before it goes");
}

TaskGroup::Root TaskGroup::run(TaskGroup& group, Task<void> task) {
  try {
    co_await task;
  } catch (const std::exception&) {
    ++group.failed_;
  }
  {
    const Task<void> done = std::move(task);
  }  // its frame goes before anybody hears of its end
  --group.size_;
}

void TaskGroup::spawn(Task<void> task) {
  ++size_;
  try {
    run(*this, std::move(task));
  } catch (const std::bad_alloc&) {  // of its frame
    --size_;
    throw;
  }
}

struct Fork::Root {
  struct promise_type : RootPromise {
    Root get_return_object() noexcept { return {}; }
  };
};

Fork::~Fork() {
  ensure(!running_, "a fork is joined before it goes");
}

Fork::Root Fork::run(Fork& fork, Task<void> task) {
  try {
    co_await task;
  } catch (...) {  // handed to whoever joins
    fork.failure_ = std::current_exception();
  }
  {
    const Task<void> done = std::move(task);
  }
  fork.running_ = false;
  if (const auto waiter = std::exchange(fork.waiter_, {})) waiter.resume();
}

void Fork::start(Task<void> task) {
  ensure(!running_, "a fork runs one task at a time");
  running_ = true;
  try {
    run(*this, std::move(task));
  } catch (const std::bad_alloc&) {  // of its frame
    running_ = false;
    throw;
  }
}

}  // namespace segue::runtime
