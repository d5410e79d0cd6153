#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace segue::test {

// How long a test waits for an event that must come. Generous, for sanitizers on a busy machine;
// a passing test never waits this long.
inline constexpr std::chrono::seconds kPatience{60};

// What a test needs did not happen: thrown by everything in tests/support, and fails the test.
class TestFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A moment that waits are measured against; one deadline covers any number of steps.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds patience = kPatience)
      : at_(std::chrono::steady_clock::now() + patience) {}
  std::chrono::steady_clock::time_point at() const { return at_; }
  // Milliseconds left, as poll() takes them; 0 when it has passed.
  int left() const;

 private:
  std::chrono::steady_clock::time_point at_;
};

// How many rounds a test with random moments makes: SEGUE_TEST_ROUNDS, else `usual`.
unsigned rounds(unsigned usual);

// Throws TestFailure("doing: errno text").
[[noreturn]] void fail_with_errno(const std::string& doing);

}  // namespace segue::test
