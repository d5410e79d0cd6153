#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli/figures.hpp"

namespace segue::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBeforeFirst{1'000};
constexpr milliseconds kBetween{100};
constexpr std::size_t kCells = 24;

bool can_draw() {
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return !dumb && ::isatty(STDERR_FILENO) == 1;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar_text(double share) {
  const auto filled = static_cast<std::size_t>(share * kCells);
  return fmt::format("[{}{}] {:3.0f}%", std::string(filled, '#'), std::string(kCells - filled, '-'),
                     share * 100);
}

std::string eta_text(double share, double seconds) {
  return share > 0 ? clock_text(seconds / share - seconds) : std::string("?");
}

}  // namespace

std::string share_text(double share, milliseconds spent) {
  share = std::clamp(share, 0.0, 1.0);
  return fmt::format("{}  ETA {}", bar_text(share),
                     eta_text(share, std::chrono::duration<double>(spent).count()));
}

std::string progress_text(std::uint64_t done, std::uint64_t total, milliseconds spent) {
  done = std::min(done, total);
  const double share = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const double seconds = std::chrono::duration<double>(spent).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string eta =
      rate > 0 ? clock_text(static_cast<double>(total - done) / rate) : std::string("?");
  return fmt::format("{}  {}/s  ETA {}", bar_text(share), grouped(static_cast<std::uint64_t>(rate)),
                     eta);
}

Progress::Progress(std::string doing)
    : doing_(std::move(doing)),
      begin_(steady_clock::now()),
      next_(begin_ + kBeforeFirst),
      on_(can_draw()) {}

Progress::~Progress() { wipe(); }

bool Progress::due() const { return on_ && steady_clock::now() >= next_; }

void Progress::at(std::uint64_t done, std::uint64_t total) {
  if (!due()) return;
  draw(progress_text(done, total, spent()));
}

void Progress::share(double done) {
  if (due()) draw(share_text(done, spent()));
}

milliseconds Progress::spent() const {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin_);
}

void Progress::draw(const std::string& bar) {
  next_ = steady_clock::now() + kBetween;
  fmt::print(stderr, "\r\x1b[K{}  {}", doing_, bar);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::wipe() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace segue::cli
