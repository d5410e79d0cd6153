#include "warehouse/archive/announcements.hpp"

#include <algorithm>
#include <utility>

#include "warehouse/archive/archiver.hpp"

namespace segue::warehouse {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};

}  // namespace

Announcements::Announcements(const std::vector<ArchiveObserver*>& observers) {
  for (ArchiveObserver* const observer : observers)
    listeners_.push_back({.observer = observer, .pause = kFirstPause});
}

void Announcements::begin_round(Again again) {
  const Clock::time_point now = Clock::now();
  for (Listener& listener : listeners_)
    if (again == Again::now || now >= listener.again) listener.hears = true;
}

bool Announcements::tell(std::size_t observer, const Claim& claim, const Done& done) {
  Listener& listener = listeners_[observer];
  if (!listener.hears) return false;
  try {
    listener.observer->archived(claim, done);
  } catch (const std::exception&) {
    failures_.push_back({std::current_exception(), listener.pause});
    listener.hears = false;
    listener.again = Clock::now() + listener.pause;
    listener.pause = std::min(listener.pause * 2, kLongestPause);
    return false;
  }
  listener.pause = kFirstPause;
  return true;
}

void Announcements::say_trouble(const char* why, milliseconds pause) {
  for (const Listener& listener : listeners_) listener.observer->troubled(why, pause);
}

void Announcements::say_failures() {
  for (const Failure& failure : std::exchange(failures_, {})) {
    try {
      std::rethrow_exception(failure.what);
    } catch (const std::exception& error) {
      say_trouble(error.what(), failure.pause);
    }
  }
}

void Announcements::throw_failure() {
  const std::vector<Failure> failures = std::exchange(failures_, {});
  if (!failures.empty()) std::rethrow_exception(failures.front().what);
}

}  // namespace segue::warehouse
