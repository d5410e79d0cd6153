// What an append costs: CPU nanoseconds of the appending thread, for frames of 2.3 KB with their
// CRC over recycled segments, and how long the slow ones take.
//   ninja bench_journal && bin/bench_journal DIR [seconds]

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "recorder/journal/journal.hpp"

namespace {

using namespace segue::recorder;

constexpr std::size_t kPayload = 2300;
constexpr std::size_t kBatch = 100;  // appends between two pauses
constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * kSecond + now.tv_nsec;
}
std::int64_t process_cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }
std::int64_t thread_cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

struct Pace {
  const char* name;
  std::int64_t pause_ns;  // after each batch; 0: as fast as it goes
};

bool append(Lane& lane, const std::string& payload) {
  const auto room = lane.begin(FrameKind::exchange, payload.size());
  if (!room) return false;
  std::memcpy(room->data(), payload.data(), payload.size());
  lane.commit();
  return true;
}

void measure(Journal& journal, const Pace& pace, std::int64_t seconds) {
  Lane& lane = journal.lane(0);
  const std::string payload(kPayload, 'x');
  const JournalStatus before = journal.status();
  std::vector<std::uint32_t> times;
  times.reserve(20'000'000);
  std::uint64_t refused = 0;
  std::int64_t appending = 0;
  const std::int64_t whole_process = process_cpu_ns();
  const std::int64_t until = segue::runtime::monotonic_now() + seconds * kSecond;
  while (segue::runtime::monotonic_now() < until && times.size() < times.capacity()) {
    const std::int64_t cpu = thread_cpu_ns();
    for (std::size_t i = 0; i < kBatch; ++i) {
      const std::int64_t start = segue::runtime::monotonic_now();
      if (!append(lane, payload)) ++refused;
      times.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(
          segue::runtime::monotonic_now() - start, UINT32_MAX)));
    }
    appending += thread_cpu_ns() - cpu;
    if (pace.pause_ns > 0) {
      const timespec pause{0, pace.pause_ns};
      ::nanosleep(&pause, nullptr);
    }
  }
  const std::int64_t all = process_cpu_ns() - whole_process;
  const JournalStatus after = journal.status();
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) {
    return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))] / 1000.0;
  };
  const auto count = static_cast<double>(times.size());
  fmt::print("{:<10} {:>9} appends {:>6.0f} MB/s  CPU/append: lane {:>5.0f} ns, process {:>5.0f} ns  "
             "p50 {:.2f} p99 {:.2f} p99.9 {:.2f} max {:.0f} us  stalls {} refused {} overwritten {}\n",
             pace.name, times.size(), count * kPayload / 1e6 / static_cast<double>(seconds),
             static_cast<double>(appending) / count, static_cast<double>(all) / count,
             quantile(0.5), quantile(0.99), quantile(0.999), quantile(1.0),
             after.stalls - before.stalls, refused,
             after.overwritten_segments - before.overwritten_segments);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_journal DIR [seconds]\n");
    return 2;
  }
  JournalSettings settings;
  settings.directory = argv[1];
  settings.max_bytes = std::uint64_t{512} << 20;
  const std::int64_t seconds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 5;
  Journal journal(settings, 1, std::size_t{2} << 20);
  // Until every segment has been used once: what is measured is recycled.
  const std::string payload(kPayload, 'x');
  while (journal.status().overwritten_segments < 2) append(journal.lane(0), payload);
  measure(journal, {"46 MB/s", 4'800'000}, seconds);
  measure(journal, {"200 MB/s", 1'000'000}, seconds);
  measure(journal, {"flat out", 0}, seconds);
  return 0;
}
