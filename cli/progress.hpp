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
  // The same for work that is not counted in records: 0 to 1 of it is done.
  void share(double done);
  // Wipes the bar before something is printed; the next at() draws it again.
  void wipe();

 private:
  void draw(const std::string& bar);
  std::chrono::milliseconds spent() const;

  const std::string doing_;
  const std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point next_;
  const bool on_;
  bool drawn_ = false;
};

// "[#####-----]  50%  ETA 0:10" of a share, 0 to 1.
std::string share_text(double share, std::chrono::milliseconds spent);

// "[#####-----]  50%  1,200/s  ETA 0:10" without what says what is being done. Rates are records.
std::string progress_text(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds spent);

}  // namespace segue::cli
