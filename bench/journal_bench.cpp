// What an append costs: CPU nanoseconds of the appending thread, for frames of 2.3 KB with their
// CRC over recycled segments, and how long the slow ones take. Then what a consumer of the journal
// costs, for small frames and for those, cursor stored 50 times a second or so.
//   ninja bench_journal && bin/bench_journal DIR [seconds]

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "recorder/journal/consumer.hpp"
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

// Frames a second of CPU time of one thread, from next() to done(), with a cursor stored for every
// 2,000: that is 50 times a second at 100,000.
void measure_consumer(const JournalSettings& settings, std::size_t payload_bytes) {
  Journal journal(settings, 1, std::size_t{2} << 20);
  std::string payload(payload_bytes, 'x');
  std::uint64_t frames = 0;
  const std::uint64_t enough = settings.max_bytes * 3 / 4 / (payload_bytes + 40);
  while (frames < enough)
    if (append(journal.lane(0), payload)) ++frames;
  JournalConsumer consumer(journal, "bench");
  std::uint64_t read = 0;
  const std::int64_t before = thread_cpu_ns();
  while (read < frames) {
    const auto next = consumer.next();
    if (!next || !*next) break;
    consumer.done((*next)->run, (*next)->frame.lane, (*next)->frame.lane_sequence);
    if (++read % 2000 == 0 && !consumer.store(JournalConsumer::Sync::no)) break;
  }
  const double seconds = static_cast<double>(thread_cpu_ns() - before) / 1e9;
  fmt::print("consumer   {:>9} frames of {} bytes: {:.0f} a second of CPU, {:.0f} MB/s, lost {}\n",
             read, payload_bytes, static_cast<double>(read) / seconds,
             static_cast<double>(read * payload_bytes) / 1e6 / seconds, consumer.lost_frames());
  const std::int64_t start = thread_cpu_ns();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    if (!append(journal.lane(0), payload)) break;
    const auto next = consumer.next();
    if (!next || !*next) break;
    consumer.done((*next)->run, (*next)->frame.lane, (*next)->frame.lane_sequence);
    if (!consumer.store(JournalConsumer::Sync::no)) break;
  }
  fmt::print("consumer   one frame at a time, each with its cursor: {:.1f} us\n",
             static_cast<double>(thread_cpu_ns() - start) / 1e6);
}

// What the keeper costs while it waits for a consumer that does not move, beside runs that it does
// not pass either: part of one core.
void measure_waiting(const JournalSettings& settings, unsigned lanes, int dead_runs) {
  const std::string payload(kPayload, 'x');
  for (int run = 0; run < dead_runs; ++run) {
    Journal journal(settings, 1, std::size_t{2} << 20);
    append(journal.lane(0), payload);
  }
  Journal journal(settings, lanes, std::size_t{2} << 20);
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (int refused = 0; refused < 50;)
      if (!append(journal.lane(lane), payload)) {
        ++refused;
        const timespec pause{0, 2'000'000};
        ::nanosleep(&pause, nullptr);
      }
  const std::int64_t before = process_cpu_ns();
  const timespec pause{2, 0};
  ::nanosleep(&pause, nullptr);
  fmt::print("full       {} lanes, {} dead runs: the keeper takes {:.2f}% of a core\n", lanes,
             dead_runs, static_cast<double>(process_cpu_ns() - before) / 2e7);
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
  settings.consumers = {"bench"};
  for (const std::size_t payload_bytes : {std::size_t{200}, kPayload}) {
    settings.directory = std::filesystem::path(argv[1]) / fmt::format("consumed-{}", payload_bytes);
    std::filesystem::create_directories(settings.directory);
    measure_consumer(settings, payload_bytes);
    std::filesystem::remove_all(settings.directory);
  }
  for (const int dead_runs : {0, 30}) {
    settings.directory = std::filesystem::path(argv[1]) / fmt::format("full-{}", dead_runs);
    std::filesystem::create_directories(settings.directory);
    measure_waiting(settings, 4, dead_runs);
    std::filesystem::remove_all(settings.directory);
  }
  settings.directory = argv[1];
  settings.consumers.clear();
  Journal journal(settings, 1, std::size_t{2} << 20);
  // Until every segment has been used once: what is measured is recycled.
  const std::string payload(kPayload, 'x');
  while (journal.status().overwritten_segments < 2) append(journal.lane(0), payload);
  measure(journal, {"46 MB/s", 4'800'000}, seconds);
  measure(journal, {"200 MB/s", 1'000'000}, seconds);
  measure(journal, {"flat out", 0}, seconds);
  return 0;
}
