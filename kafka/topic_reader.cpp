#include "kafka/topic_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kSliceMillis = 100;

struct EndTopic {
  void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
};

// A client for reading so many partitions. When enough is fetched ahead, librdkafka looks again
// only after a second, which newer ones let us shorten; so that a single partition does not wait
// for that most of the time, it may be far ahead.
Cluster reading_client(const Cluster& cluster, std::size_t partitions) {
  constexpr int kFirstWithBackoff = 0x020200ff;
  const std::size_t bytes = std::clamp(TopicReader::kPrefetchBytes / partitions,
                                       TopicReader::kLeastPrefetchBytes,
                                       TopicReader::kMostPrefetchBytes);
  std::map<std::string, std::string> properties{
      {"queued.max.messages.kbytes", std::to_string(bytes >> 10)},
      {"queued.min.messages", "1000000"}};  // the bytes above are to be the limit
  if (rd_kafka_version() >= kFirstWithBackoff) properties["fetch.queue.backoff.ms"] = "10";
  return Cluster(cluster.settings(), cluster.timeout(), properties);
}

}  // namespace

struct TopicReader::State {
  // One partition that is read.
  struct Lane {
    std::int32_t partition = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;    // when the reader was made
    std::int64_t next = 0;   // behind the last record that was given
    bool at_end = false;     // everything before `end` is here or was given
    Message head;            // not given yet
  };

  std::string name;
  TopicReadOptions options;
  TopicPlace place;  // the partitions that are read
  Cluster cluster;
  std::unique_ptr<rd_kafka_topic_t, EndTopic> topic;
  std::vector<Lane> lanes;
  std::size_t started = 0;  // of `lanes`
  Message given;
  TopicRecord record;

  State(Cluster& of, std::string topic_name, TopicReadOptions how)
      : name(std::move(topic_name)),
        options(std::move(how)),
        place(choose_partitions(of)),
        cluster(reading_client(of, place.partitions.size())) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  TopicPlace choose_partitions(Cluster& of) const;
  void find_positions();
  void start();
  void take(Lane& lane, int wait_ms);
  void refuse(const rd_kafka_message_t& message) const;
  void fill_heads();
  Lane* earliest();
};

TopicReader::State::~State() {
  for (std::size_t i = 0; i < started; ++i)
    rd_kafka_consume_stop(topic.get(), lanes[i].partition);
}

TopicPlace TopicReader::State::choose_partitions(Cluster& of) const {
  TopicPlace whole = of.topic(name);
  if (options.partitions.empty()) return whole;
  TopicPlace chosen{whole.name, {}};
  for (const std::int32_t wanted : options.partitions) {
    const auto found = std::ranges::find(whole.partitions, wanted, &PartitionPlace::id);
    if (found == whole.partitions.end())
      throw StartupError(fmt::format("kafka {}: topic {} has no partition {}, it has 0 to {}",
                                     of.brokers_text(), name, wanted,
                                     whole.partitions.size() - 1));
    chosen.partitions.push_back(*found);
  }
  return chosen;
}

void TopicReader::State::find_positions() {
  const OffsetRanges ranges = cluster.offsets(place);
  std::map<std::int32_t, std::int64_t> at_time;
  if (options.start.kind == StartPosition::Kind::time)
    at_time = cluster.offsets_at(place, options.start.value);
  for (const auto& [partition, range] : ranges) {
    std::int64_t begin = range.low;
    switch (options.start.kind) {
      case StartPosition::Kind::beginning:
        break;
      case StartPosition::Kind::end:
        begin = range.high;
        break;
      case StartPosition::Kind::last:
        begin = range.high - options.start.value;
        break;
      case StartPosition::Kind::offset:
        begin = options.start.value;
        break;
      case StartPosition::Kind::time:
        begin = at_time.at(partition);
        break;
    }
    begin = std::clamp(begin, range.low, range.high);
    lanes.push_back({partition, begin, range.high, begin, begin == range.high, nullptr});
  }
}

void TopicReader::State::start() {
  rd_kafka_topic_conf_t* const conf = rd_kafka_topic_conf_new();
  std::array<char, 256> why{};
  rd_kafka_topic_conf_set(conf, "auto.offset.reset", "earliest", why.data(), why.size());
  topic.reset(rd_kafka_topic_new(cluster.handle(), name.c_str(), conf));
  const std::string doing = fmt::format("reading topic {}", name);
  if (!topic) throw cluster.failure(doing, rd_kafka_last_error());
  for (const Lane& lane : lanes) {
    const bool nothing = lane.at_end && options.end == TopicReadOptions::End::as_of_now;
    // consume_stop() of what was never started is harmless, but start() of an empty one is work.
    if (!nothing && rd_kafka_consume_start(topic.get(), lane.partition, lane.begin) != 0)
      throw cluster.failure(doing, rd_kafka_last_error());
    ++started;
  }
}

void TopicReader::State::refuse(const rd_kafka_message_t& message) const {
  if (is_passing(message.err)) return;
  throw cluster.failure(fmt::format("reading {}/{}", name, message.partition), message.err,
                        rd_kafka_message_errstr(&message));
}

void TopicReader::State::take(Lane& lane, int wait_ms) {
  Message message(rd_kafka_consume(topic.get(), lane.partition, wait_ms));
  if (!message) return;
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    lane.at_end = true;
    return;
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return refuse(*message);
  const bool beyond = message->offset >= lane.end;
  if (beyond) lane.at_end = true;
  if (beyond && options.end == TopicReadOptions::End::as_of_now) return;
  lane.head = std::move(message);
}

// Until every partition that is not at its end has a head: only then the earliest is known.
void TopicReader::State::fill_heads() {
  for (Lane& lane : lanes) {
    const auto begin = steady_clock::now();
    while (!lane.head && !lane.at_end) {
      take(lane, kSliceMillis);
      cluster.check();
      if (!lane.head && !lane.at_end && steady_clock::now() - begin >= cluster.timeout())
        throw cluster.failure(fmt::format("reading {}/{}", name, lane.partition),
                              RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    const bool follow = lane.at_end && options.end == TopicReadOptions::End::never;
    if (!lane.head && follow) take(lane, 0);
  }
}

TopicReader::State::Lane* TopicReader::State::earliest() {
  Lane* found = nullptr;
  for (Lane& lane : lanes)
    if (lane.head && (found == nullptr || millis_of(*lane.head) < millis_of(*found->head)))
      found = &lane;
  return found;
}

TopicReader::TopicReader(Cluster& cluster, const std::string& topic, TopicReadOptions options)
    : state_(std::make_unique<State>(cluster, topic, std::move(options))) {
  state_->find_positions();
  state_->start();
}

TopicReader::~TopicReader() = default;

const TopicRecord* TopicReader::next() {
  state_->given.reset();
  state_->fill_heads();
  State::Lane* const lane = state_->earliest();
  if (lane == nullptr) {
    state_->cluster.check();
    return nullptr;
  }
  state_->given = std::move(lane->head);
  lane->next = state_->given->offset + 1;
  if (lane->next >= lane->end) lane->at_end = true;
  fill(state_->record, *state_->given);
  return &state_->record;
}

bool TopicReader::caught_up() const noexcept {
  return std::ranges::all_of(state_->lanes, [](const State::Lane& lane) {
    return lane.at_end && (!lane.head || lane.head->offset >= lane.end);
  });
}

std::uint64_t TopicReader::expected() const noexcept {
  std::int64_t sum = 0;
  for (const State::Lane& lane : state_->lanes) sum += lane.end - lane.begin;
  return static_cast<std::uint64_t>(sum);
}

std::uint64_t TopicReader::passed() const noexcept {
  std::int64_t sum = 0;
  for (const State::Lane& lane : state_->lanes)
    sum += (lane.at_end && !lane.head ? lane.end : std::min(lane.next, lane.end)) - lane.begin;
  return static_cast<std::uint64_t>(sum);
}

}  // namespace segue::kafka
