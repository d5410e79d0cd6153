#include "compare/live.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>

#include "compare/comparing.hpp"
#include "compare/record_reading.hpp"
#include "compare/tally.hpp"
#include "exchange/ensure.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/reader.hpp"
#include "runtime/clock.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace segue::compare {
namespace {

namespace fs = std::filesystem;
using Standing = RouteTally::Standing;

// How soon a journal is looked at again in which nothing is new; twice as long after each look in
// vain.
constexpr std::chrono::milliseconds kPoll{50};
constexpr std::chrono::milliseconds kLongestPoll{400};
// How soon one that could not be read is opened again.
constexpr std::chrono::milliseconds kReopen{1'000};
constexpr std::int64_t kFindingsEvery = 1'000'000'000;  // ns
constexpr std::int64_t kClockSlack = 1'000'000;         // µs: the clocks are not read at once
// Frames between two looks at the status.
constexpr unsigned kBatch = 256;
// What a reader notes of gaps and damage is kept by it: one with more of them is opened anew.
constexpr std::size_t kMostDamage = 1'000;
constexpr std::size_t kMostWaitingBytes = 64 << 20;
// Requests go first where the processor is short.
constexpr int kNiceness = 10;
// So that the sample has nothing to do with how requests were chosen for shadowing.
constexpr std::uint64_t kSampleSeed = 0x6c697665;
constexpr std::uint64_t kWhole = 10'000;  // hundredths of a percent

constexpr std::array kStandings{Standing::same, Standing::noise, Standing::different,
                                Standing::incomparable, Standing::credentials};

ComparingSettings comparing_settings(const LiveSettings& settings,
                                     std::map<std::string, RouteRules> routes,
                                     std::stop_token stop) {
  return {.routes = std::move(routes),
          .waiting = {.exchanges = settings.queue, .bytes = kMostWaitingBytes},
          .stop = std::move(stop)};
}

}  // namespace

struct LiveComparison::State {
  enum class Take : std::uint8_t { compare, pass };

  void run(const std::stop_token& stop);
  bool open();
  bool read(Take what, const std::stop_token& stop);
  bool expects(const recorder::Frame& frame);
  void compare(const recorder::Frame& frame);
  bool is_wanted(const RecordHead& head) const;
  void count(const Comparing::Compared& one);
  void publish();

  fs::path folder;
  LiveSettings settings;
  std::unique_ptr<Comparing> comparing;
  std::unique_ptr<recorder::JournalReader> reader;                // null: could not be opened
  std::unordered_map<std::uint32_t, std::uint64_t> next_by_lane;  // lane_sequence
  bool positioned = false;  // of lanes that are not in there, nothing was recorded at the start
  std::int64_t last_commit = 0;  // monotonic: all that was committed before was read
  std::uint64_t overwritten = 0;
  std::map<std::string, std::size_t, std::less<>> first_count;  // of a route, in `counts`
  std::vector<std::uint64_t> counts;                            // as in Status::counts
  std::uint64_t compared = 0;
  bool changed = true;            // since publish()
  std::uint64_t findings_of = 0;  // `compared` when they were judged
  std::int64_t findings_at = 0;   // monotonic
  v1::Exchange exchange;          // kept for its memory

  std::stop_source ending;  // of the thread, and of the pair that it is comparing
  std::mutex sleep_mutex;
  std::condition_variable_any sleep;
  mutable std::mutex status_mutex;
  Status status;
  std::jthread thread;  // last: ends before what it uses
};

LiveComparison::LiveComparison(fs::path run, const LiveSettings& settings,
                               std::map<std::string, RouteRules> routes)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.folder = std::move(run);
  state.settings = settings;
  for (const auto& [route, rules] : routes) {
    state.first_count[route] = state.counts.size();
    for (const Standing standing : kStandings)
      state.status.counts.push_back({route, name_of(standing), 0});
    state.counts.resize(state.status.counts.size());
    state.status.findings[route] = 0;
  }
  Comparing::Made made =
      Comparing::make(comparing_settings(settings, std::move(routes), state.ending.get_token()));
  ensure(made.comparing != nullptr, "rules that were loaded are rules");
  state.comparing = std::move(made.comparing);
  state.comparing->on_compared([&state](const Comparing::Compared& one) { state.count(one); });
}

LiveComparison::~LiveComparison() {
  state_->ending.request_stop();
}

void LiveComparison::start() {
  State& state = *state_;
  if (state.open()) {
    while (state.read(State::Take::pass, {})) {
    }
    state.overwritten = 0;
    state.positioned = state.reader != nullptr;
  }
  state.thread = std::jthread([&state] { state.run(state.ending.get_token()); });
  ::pthread_setname_np(state.thread.native_handle(), "comparison");
}

LiveComparison::Status LiveComparison::status() const {
  const std::lock_guard lock(state_->status_mutex);
  return state_->status;
}

void LiveComparison::State::run(const std::stop_token& stop) {
  // Of this thread alone, on Linux. It may always lower itself.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  std::chrono::milliseconds pause = kPoll;
  while (!stop.stop_requested()) {
    const std::int64_t before = last_commit;
    const bool more = (reader || open()) && read(Take::compare, stop);
    publish();
    pause = last_commit != before ? kPoll : std::min(2 * pause, kLongestPoll);
    if (more) continue;
    std::unique_lock lock(sleep_mutex);
    sleep.wait_for(lock, stop, reader ? pause : kReopen, [] { return false; });
  }
}

bool LiveComparison::State::open() {
  recorder::ReadOptions options;
  options.run = folder.filename().string();
  options.intents = true;  // so that every number of a lane is seen
  if (last_commit == 0) {
    options.last_segments = 1;
  } else {
    const std::int64_t age = (runtime::monotonic_now() - last_commit) / 1000;
    options.since = runtime::unix_micros_now() - age - kClockSlack;
  }
  auto opened = recorder::JournalReader::open(folder.parent_path(), options);
  if (opened) reader = std::move(*opened);
  return reader != nullptr;
}

// A batch; whether there may be more. Without a reader afterwards: it is to be opened anew.
bool LiveComparison::State::read(Take what, const std::stop_token& stop) {
  for (unsigned left = kBatch; left > 0 && !stop.stop_requested(); --left) {
    const auto frame = reader->next();
    if (!frame) reader.reset();
    if (!frame || !*frame) return false;
    last_commit = (*frame)->commit_ns;
    if (expects(**frame) && what == Take::compare) compare(**frame);
  }
  if (reader->damage().size() > kMostDamage) reader.reset();
  return reader != nullptr;
}

// Whether it is new. Each lane is counted without a hole, and what is missing was overwritten.
bool LiveComparison::State::expects(const recorder::Frame& frame) {
  const std::uint64_t first = positioned ? 1 : frame.lane_sequence;
  std::uint64_t& next = next_by_lane.try_emplace(frame.lane, first).first->second;
  if (frame.lane_sequence < next) return false;
  changed |= frame.lane_sequence > next;
  overwritten += frame.lane_sequence - next;
  next = frame.lane_sequence + 1;
  return true;
}

void LiveComparison::State::compare(const recorder::Frame& frame) {
  if (frame.kind != recorder::FrameKind::exchange) return;
  const auto head = read_head(frame.payload);
  if (!head || !is_wanted(*head) || !parse_for_comparing(frame.payload, exchange)) return;
  comparing->add(std::move(exchange));
  changed = true;
}

bool LiveComparison::State::is_wanted(const RecordHead& head) const {
  const bool primary = head.kind == v1::KIND_PRIMARY && head.shadow == "sent";
  if (!primary && head.kind != v1::KIND_SHADOW && head.kind != v1::KIND_CONTROL) return false;
  const std::string_view id = primary ? head.id : head.parent_id;
  return XXH3_64bits_withSeed(id.data(), id.size(), kSampleSeed) % kWhole < settings.share &&
         first_count.contains(head.route);
}

void LiveComparison::State::count(const Comparing::Compared& one) {
  ++compared;
  if (one.pair.other.kind() != v1::KIND_SHADOW) return;
  const auto first = first_count.find(one.route);
  if (first != first_count.end()) ++counts[first->second + static_cast<std::size_t>(one.standing)];
}

void LiveComparison::State::publish() {
  const std::int64_t now = runtime::monotonic_now();
  const bool judge_again = compared != findings_of && now - findings_at >= kFindingsEvery;
  if (!changed && !judge_again) return;
  std::map<std::string, std::uint64_t> findings;
  if (judge_again) {
    findings = comparing->findings();
    findings_of = compared;
    findings_at = now;
  }
  changed = false;
  const std::lock_guard lock(status_mutex);
  for (std::size_t i = 0; i < counts.size(); ++i) status.counts[i].count = counts[i];
  for (const auto& [route, count] : findings) status.findings[route] = count;
  status.gave_up = comparing->given_up();
  status.overwritten = overwritten;
  status.waiting = comparing->waiting();
}

}  // namespace segue::compare
