#pragma once

#include <signal.h>

#include <chrono>
#include <cstdint>

namespace segue::cli {

// The signals that the process obeys, taken by the main thread alone: blocked before any other
// thread is started. SIGTERM and SIGINT end it, SIGHUP asks for what has changed on the disk.
class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  enum class Came : std::uint8_t { nothing, reload, end, event };
  // The next signal, or `event` when that descriptor is readable (-1: none is looked at).
  Came wait_for(std::chrono::milliseconds limit, int event = -1) const;
  // `end` or `event`, whichever came first within `limit`, or nothing.
  Came end_or(int event, std::chrono::milliseconds limit) const;
  // True when one that ends the process came within `limit`.
  bool end_within(std::chrono::milliseconds limit) const;

 private:
  int descriptor_;  // signalfd
};

}  // namespace segue::cli
