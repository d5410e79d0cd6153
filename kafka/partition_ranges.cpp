#include "kafka/partition_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <thread>
#include <vector>

namespace segue::kafka {
namespace {

using std::chrono::steady_clock;

constexpr int kSliceMillis = 100;
constexpr std::size_t kBatchRecords = 500;
constexpr int kFirstWithBackoff = 0x020200ff;  // librdkafka that looks again when we want it to

struct EndTopic {
  void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
};

struct EndList {
  void operator()(rd_kafka_topic_partition_list_t* list) const noexcept {
    rd_kafka_topic_partition_list_destroy(list);
  }
};

std::size_t prefetch_bytes(std::size_t partitions) {
  return std::max(PartitionRanges::kPrefetchBytes / std::max<std::size_t>(partitions, 1),
                  PartitionRanges::kLeastPrefetchBytes);
}

// A question that is under way when a broker goes is answered, or given up, within the timeout; by
// itself librdkafka waits for a minute.
std::map<std::string, std::string> reading_properties(std::size_t partitions,
                                                      std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kShortest{2'000};  // librdkafka's fetches may take a second
  std::map<std::string, std::string> properties{
      {"socket.timeout.ms", std::to_string(std::max(timeout, kShortest).count())},
      {"queued.max.messages.kbytes", std::to_string(prefetch_bytes(partitions) >> 10)},
      {"queued.min.messages", "1000000"},  // the bytes above are to be the limit
      // A broker answers a connection's requests one after the other, so a question for offsets waits
      // behind a fetch that waits for records: not half a second, as by default.
      {"fetch.wait.max.ms", "50"}};
  if (rd_kafka_version() >= kFirstWithBackoff) properties["fetch.queue.backoff.ms"] = "10";
  return properties;
}

}  // namespace

struct PartitionRanges::State {
  // One partition that was begun.
  struct Lane {
    std::int64_t next = 0;  // everything before it was given, or is a hole
    std::vector<Message> batch;
    std::size_t at = 0;  // in `batch`

    bool has_more() const { return at < batch.size(); }
  };

  State(const Settings& settings, std::chrono::milliseconds timeout, std::string name,
        std::size_t partitions)
      : topic_name(std::move(name)),
        wake_after(prefetch_bytes(partitions) / 2),
        cluster(settings, timeout, reading_properties(partitions, timeout)) {}
  ~State() {
    for (const auto& [number, lane] : lanes) rd_kafka_consume_stop(topic.get(), number);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void open_topic();
  void fetch(Lane& lane);
  void wake();
  std::int64_t end_of(std::int32_t number, std::int64_t which);
  void stop(std::int32_t number);
  void refuse(const rd_kafka_message_t& message);
  std::string doing() const { return fmt::format("reading {}/{}", topic_name, partition); }

  const std::string topic_name;
  const std::size_t wake_after;
  Cluster cluster;
  std::unique_ptr<rd_kafka_topic_t, EndTopic> topic;
  std::map<std::int32_t, Lane> lanes;
  // The range that is read.
  std::int32_t partition = -1;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::size_t taken_bytes = 0;  // since wake()
  Message given;
  TopicRecord record;
};

void PartitionRanges::State::open_topic() {
  if (topic) return;
  cluster.reach();
  rd_kafka_topic_conf_t* const conf = rd_kafka_topic_conf_new();
  std::array<char, 256> why{};
  // An offset that is gone must be heard of, not jumped over.
  rd_kafka_topic_conf_set(conf, "auto.offset.reset", "error", why.data(), why.size());
  topic.reset(rd_kafka_topic_new(cluster.handle(), topic_name.c_str(), conf));
  if (!topic)
    throw cluster.failure(fmt::format("reading topic {}", topic_name), rd_kafka_last_error());
}

// A librdkafka before 2.2 that has fetched enough ahead looks again only after a second, or when its
// thread for the broker has something to do.
void PartitionRanges::State::wake() {
  taken_bytes = 0;
  if (rd_kafka_version() >= kFirstWithBackoff) return;
  const std::unique_ptr<rd_kafka_topic_partition_list_t, EndList> list(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_name.c_str(), partition)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_offsets_for_times(cluster.handle(), list.get(), kSliceMillis);
}

void PartitionRanges::State::stop(std::int32_t number) {
  if (lanes.erase(number) != 0) rd_kafka_consume_stop(topic.get(), number);
}

void PartitionRanges::State::refuse(const rd_kafka_message_t& message) {
  if (is_passing(message.err)) return;
  const std::int64_t next = lanes.at(partition).next;
  stop(partition);
  const bool gone = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                    message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (gone)
    throw cluster.failure(doing(), message.err,
                          fmt::format("it has not got offset {} any more: its retention took it "
                                      "meanwhile, or the topic was made anew",
                                      next));
  throw cluster.failure(doing(), message.err, rd_kafka_message_errstr(&message));
}

// Until there is a batch, at most the timeout.
void PartitionRanges::State::fetch(Lane& lane) {
  lane.batch.clear();
  lane.at = 0;
  std::array<rd_kafka_message_t*, kBatchRecords> messages{};
  const auto begin = steady_clock::now();
  for (;;) {
    const ssize_t count =
        rd_kafka_consume_batch(topic.get(), partition, 0, messages.data(), messages.size());
    for (ssize_t i = 0; i < count; ++i)
      lane.batch.emplace_back(messages[static_cast<std::size_t>(i)]);
    if (count > 0) return;
    cluster.check();
    if (Message one{rd_kafka_consume(topic.get(), partition, kSliceMillis)}) {
      lane.batch.push_back(std::move(one));
      return;
    }
    if (steady_clock::now() - begin >= cluster.timeout())
      throw cluster.failure(doing(), RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
}

PartitionRanges::PartitionRanges(const Settings& settings, std::chrono::milliseconds timeout,
                                 std::string topic, std::size_t partitions)
    : state_(std::make_unique<State>(settings, timeout, std::move(topic), partitions)) {}

PartitionRanges::~PartitionRanges() = default;

std::int64_t PartitionRanges::State::end_of(std::int32_t number, std::int64_t which) {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, EndList> list(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t& asked =
      *rd_kafka_topic_partition_list_add(list.get(), topic_name.c_str(), number);
  const auto end = steady_clock::now() + cluster.timeout();
  for (;;) {
    asked.offset = which;
    asked.err = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(
        cluster.handle(), list.get(), static_cast<int>(cluster.timeout().count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = asked.err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && asked.offset >= 0) return asked.offset;
    cluster.check();
    if (steady_clock::now() >= end || (code != RD_KAFKA_RESP_ERR_NO_ERROR && !is_passing(code)))
      throw cluster.failure(fmt::format("asking for the offsets of {}/{}", topic_name, number), code);
    std::this_thread::sleep_for(std::chrono::milliseconds(kSliceMillis));
  }
}

OffsetRange PartitionRanges::offsets(std::int32_t partition) {
  state_->cluster.reach();
  // The first one first: what goes between the two questions makes the range shorter, not empty.
  const std::int64_t low = state_->end_of(partition, RD_KAFKA_OFFSET_BEGINNING);
  return {.low = low, .high = state_->end_of(partition, RD_KAFKA_OFFSET_END)};
}

Cluster& PartitionRanges::cluster() noexcept { return state_->cluster; }

void PartitionRanges::stop(std::int32_t partition) { state_->stop(partition); }

void PartitionRanges::start(std::int32_t partition, std::int64_t from, std::int64_t to) {
  State& state = *state_;
  state.given.reset();
  state.open_topic();
  state.partition = partition;
  state.from = from;
  state.to = to;
  const auto found = state.lanes.find(partition);
  if (found != state.lanes.end() && found->second.next == from) return;
  state.stop(partition);
  if (from >= to) return;
  if (rd_kafka_consume_start(state.topic.get(), partition, from) != 0)
    throw state.cluster.failure(state.doing(), rd_kafka_last_error());
  state.lanes[partition].next = from;
}

const TopicRecord* PartitionRanges::next() {
  State& state = *state_;
  state.given.reset();
  if (state.from >= state.to) return nullptr;
  State::Lane& lane = state.lanes.at(state.partition);
  const auto begin = steady_clock::now();
  while (lane.next < state.to) {
    if (!lane.has_more()) state.fetch(lane);
    Message& head = lane.batch[lane.at];
    if (head->err == RD_KAFKA_RESP_ERR_NO_ERROR && head->offset < state.to) {
      state.given = std::move(head);
      ++lane.at;
      if (state.given->offset < lane.next) continue;
      lane.next = state.given->offset + 1;
      state.taken_bytes += state.given->len;
      if (state.taken_bytes >= state.wake_after) state.wake();
      fill(state.record, *state.given);
      return &state.record;
    }
    const bool beyond = head->offset >= state.to && (head->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                                                     head->err == RD_KAFKA_RESP_ERR__PARTITION_EOF);
    if (beyond) {  // what is behind the last one that there is, are holes
      lane.next = state.to;
      break;
    }
    const Message other = std::move(head);
    ++lane.at;
    if (other->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) state.refuse(*other);
    if (steady_clock::now() - begin >= state.cluster.timeout())
      throw state.cluster.failure(state.doing(), RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
  return nullptr;
}

}  // namespace segue::kafka
