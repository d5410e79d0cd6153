#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "warehouse/archive/claim.hpp"

namespace segue::warehouse {

class ArchiveObserver;

// The observers of an archiver, and which of them cannot hear just now: one that failed is left
// alone for a pause that grows, so that it holds up neither the archive nor the others. One thread;
// the observers outlive it.
class Announcements {
 public:
  explicit Announcements(const std::vector<ArchiveObserver*>& observers);

  std::size_t size() const noexcept { return listeners_.size(); }

  // pauses_over: only those hear again whose pause is over; now: all do.
  enum class Again : std::uint8_t { pauses_over, now };
  void begin_round(Again again);
  bool hears(std::size_t observer) const { return listeners_[observer].hears; }
  // False: it did not hear, now or earlier in this round.
  bool tell(std::size_t observer, const Claim& claim, const Done& done);

  // Says to all what stands in the way.
  void say_trouble(const char* why, std::chrono::milliseconds pause);
  // The same of what observers threw since the last time.
  void say_failures();
  // Throws the first thing that observers threw, if anything.
  void throw_failure();

 private:
  using Clock = std::chrono::steady_clock;
  struct Listener {
    ArchiveObserver* observer;
    bool hears = true;
    Clock::time_point again{};
    std::chrono::milliseconds pause{};  // after its next failure
  };
  struct Failure {
    std::exception_ptr what;
    std::chrono::milliseconds pause;
  };

  std::vector<Listener> listeners_;
  std::vector<Failure> failures_;  // one of each observer in a round at most
};

}  // namespace segue::warehouse
