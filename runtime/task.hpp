#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "runtime/frame_pool.hpp"

namespace segue::runtime {

template <class T>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> waiter;
  std::exception_ptr failure;
  bool starting = false;  // the waiter is still in await_suspend, and will go on by itself
  bool finished = false;

  static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    FramePool::release(frame, bytes);
  }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      promise.finished = true;
      if (!promise.starting && promise.waiter) promise.waiter.resume();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

// A coroutine of one core: starts when awaited, ends on the same thread, and hands its result to
// the one that awaits it. Owns its frame.
//
// A task that has been started must be let to run to its end: it is never destroyed while it
// waits (an operation would resume freed memory). To cancel one, cancel the stream it waits for.
//
// A callee that ends without waiting costs no suspension of the caller and no stack, so loops over
// ready data cannot overflow it, in any build and under any sanitizer (symmetric transfer relies
// on tail calls, which an unoptimised build does not make).
//
// Arguments of `co_await f(...)` are named locals or function results: g++ 12 destroys some
// temporaries twice inside a full expression that contains co_await (docs/hazards.md).
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    detail::PromiseBase& promise = frame_.promise();
    promise.waiter = waiter;
    promise.starting = true;
    frame_.resume();
    promise.starting = false;
    return !promise.finished;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>{std::coroutine_handle<Promise<T>>::from_promise(*this)};
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>{std::coroutine_handle<Promise<void>>::from_promise(*this)};
}

}  // namespace detail
}  // namespace segue::runtime
