#pragma once

#include <atomic>
#include <chrono>

namespace segue::recorder {

// What the publisher's thread sleeps on: an eventfd that librdkafka writes to when it has something
// to tell, and that other threads ring. Any thread may ring or nudge; one thread waits.
class Wake {
 public:
  // Throws StartupError when the process is out of descriptors.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // Ends the wait that runs, or the next one.
  void ring() noexcept;
  // Something new is in the journal and somebody waits for it. Rings only when it was not nudged
  // since the last take_nudge(), so that a busy core makes no system call for each exchange.
  void nudge() noexcept {
    if (!nudged_.exchange(true)) ring();
  }
  // Whether it was nudged; the thread asks before it looks into the journal.
  bool take_nudge() noexcept { return nudged_.exchange(false); }

  void wait(std::chrono::milliseconds at_most) noexcept;

  // A write of 8 bytes holding 1 rings.
  int descriptor() const noexcept { return event_; }

 private:
  int event_;
  std::atomic<bool> nudged_{false};
};

}  // namespace segue::recorder
