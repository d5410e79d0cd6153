#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/scripted_backend.hpp"

namespace segue::test {

enum class Fault : std::uint8_t {
  slow_down,      // 503 SlowDown, as S3 says it; the server gets nothing
  server_error,   // 500 InternalError; the server gets nothing
  reset_before,   // the connection is reset; the server gets nothing
  reset_after,    // the server does it; instead of its answer comes a reset
  reset_midway,   // half of the server's answer, then a reset
  truncated,      // half of the server's answer, then the end
  stalled,        // the server gets nothing, and no answer comes
  unconditional,  // the server gets it without If-None-Match, so it must not check signatures
};

// Hands HTTP requests on to a server on this machine, whole, and its answers back; some meet a fault
// on the way. Any thread.
class FaultyLink {
 public:
  explicit FaultyLink(std::uint16_t to);

  std::uint16_t port() const { return way_.port(); }
  std::string url() const;
  // The next `times` requests with this method whose target has `part` in it meet the fault.
  void plan(std::string_view method, std::string_view part, Fault fault, unsigned times = 1);
  // The plans that no request met.
  std::size_t unmet() const;
  // Waits until requests have met all plans.
  void wait_until_met(const Deadline& deadline = Deadline{});
  // "PUT /bucket/key?query" of all requests so far that begin like this.
  std::size_t count(std::string_view begin) const;

 private:
  struct Plan {
    std::string method;
    std::string part;
    Fault fault;
    unsigned times;
  };
  void serve(BackendConnection& connection);
  std::optional<Fault> fault_of(const Message& request);

  std::uint16_t to_;
  mutable std::mutex mutex_;
  std::condition_variable met_;
  std::list<Plan> plans_;
  ScriptedBackend way_;  // last: its threads use the others
};

}  // namespace segue::test
