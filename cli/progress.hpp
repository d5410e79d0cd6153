#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace segue::cli {

// A bar on standard error for work that takes longer than a second: how far, how fast, how long
// yet. Only on a terminal that is not dumb; elsewhere it does nothing. One thread.
class Progress {
 public:
  // `doing`: "searching segue.exchanges".
  explicit Progress(std::string doing);
  // Wipes the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether at() would draw now, for those whom it costs something to say how much there is.
  bool due() const;
  // So many of `total` are done; draws at most ten times a second.
  void at(std::uint64_t done, std::uint64_t total);
  // Wipes the bar before something is printed; the next at() draws it again.
  void wipe();

 private:
  void draw(std::uint64_t done, std::uint64_t total);

  const std::string doing_;
  const std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point next_;
  const bool on_;
  bool drawn_ = false;
};

// "[#####-----]  50%  1,200/s  ETA 0:10" without what says what is being done. Rates are records.
std::string progress_text(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds spent);

}  // namespace segue::cli
