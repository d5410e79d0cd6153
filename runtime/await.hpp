#pragma once

#include <boost/system/error_code.hpp>
#include <coroutine>
#include <utility>

namespace segue::runtime {

// Makes any asynchronous call awaitable. `start` is called with a completion that takes a Result
// (an error_code, unless said otherwise) and must be called exactly once, from the event loop and
// not within `start`. Must be a named local: `Completion waiting(start); co_await waiting;`.
template <class Start, class Result = boost::system::error_code>
class Completion {
 public:
  explicit Completion(Start start) : start_(std::move(start)) {}
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    start_([this, waiter](Result result) {
      result_ = std::move(result);
      waiter.resume();
    });
  }
  Result await_resume() { return std::move(result_); }

 private:
  Start start_;
  Result result_;
};

}  // namespace segue::runtime
