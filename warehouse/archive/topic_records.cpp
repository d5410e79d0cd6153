#include "warehouse/archive/topic_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>
#include <set>
#include <thread>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "exchange/id.hpp"
#include "kafka/admin.hpp"
#include "kafka/confluent_frame.hpp"
#include "kafka/group_member.hpp"
#include "kafka/partition_ranges.hpp"
#include "recorder/exchange.pb.h"

namespace segue::warehouse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSlice{100};
constexpr std::size_t kLikelyPartitions = 12;  // that are read by one process

std::int64_t signed_offset(std::uint64_t offset) { return static_cast<std::int64_t>(offset); }
std::uint64_t plain_offset(std::int64_t offset) { return static_cast<std::uint64_t>(offset); }

std::int32_t partition_of(const Chain& chain) {
  std::int32_t number = -1;
  const std::string& text = chain.partition;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  ensure(error == std::errc() && end == text.data() + text.size() && number >= 0,
         "a chain of a topic is named by the number of its partition");
  return number;
}

// created_at of what the facts of a file count as an exchange with a time; 0: it is none.
std::int64_t time_of(std::string_view payload) {
  v1::Exchange exchange;
  const bool is_exchange =
      exchange.ParseFromArray(payload.data(), static_cast<int>(payload.size())) &&
      exchange.id().size() == ExchangeId::kBytes && exchange.kind() != v1::KIND_UNSPECIFIED;
  const std::int64_t at = exchange.created_at();
  return is_exchange && at > 0 && at <= kLastMoment ? at : 0;
}

}  // namespace

unsigned epoch_of(const Chain& chain, const std::string& topic) {
  if (chain.topic == topic) return 1;
  if (!chain.topic.starts_with(topic + "@")) return 0;
  unsigned epoch = 0;
  const char* const first = chain.topic.data() + topic.size() + 1;
  const char* const last = chain.topic.data() + chain.topic.size();
  const auto [end, error] = std::from_chars(first, last, epoch);
  return error == std::errc() && end == last ? epoch : 0;
}

std::string_view payload_of(const kafka::TopicRecord& record) {
  const std::string_view value = record.value.value_or(std::string_view{});
  const auto frame = kafka::decode_confluent_frame(value);
  return frame && frame->is_first_message() ? frame->payload : value;
}

std::optional<RestoredMark> mark_of(const kafka::TopicRecord& record) {
  const auto text = record.header(kRestoredHeader);
  return text ? parse_restored_mark(*text) : std::nullopt;
}

bool may_be_twice(const kafka::TopicRecord& record) {
  return record.header("segue-redelivery") == "1" || mark_of(record);
}

namespace {

std::string name_of(const TopicReading& reading) {
  return fmt::format("kafka://{}/{}", fmt::join(reading.settings.brokers, ","), reading.topic);
}

void expect_topic_in(kafka::Cluster& cluster, const TopicReading& reading) {
  cluster.topic(reading.topic);
  kafka::ConfigValues config;
  try {
    config = kafka::Admin(cluster).topic_config(reading.topic);
  } catch (const RemoteError&) {
    // Who may read a topic may not always see its configuration.
  }
  const auto policy = config.find("cleanup.policy");
  if (policy != config.end() && policy->second.value.find("compact") != std::string::npos)
    throw StartupError(
        fmt::format("{}: the topic is compacted: Kafka takes records out of it that "
                    "the archive may not have yet; `seguectl topics ensure {}` makes "
                    "it one that is not",
                    name_of(reading), reading.topic));
}

}  // namespace

void expect_topic(const TopicReading& reading) {
  kafka::Cluster cluster(reading.settings, reading.timeout);
  expect_topic_in(cluster, reading);
}

struct TopicRecords::State {
  // A partition that is ours.
  struct Lane {
    Chain chain;
    std::int64_t low = 0;  // of the partition, when it was looked at last
    std::exception_ptr halted{};  // why the chain cannot go on; looked at again in each round
  };

  State(TopicReading how, const Archive& into)
      : reading(std::move(how)),
        archive(into),
        name(name_of(reading)),
        ranges(reading.settings, reading.timeout, reading.topic, kLikelyPartitions) {}

  bool is_stopping() const { return reading.stopping && reading.stopping(); }
  void connect();
  std::set<std::int32_t> find_partitions();
  void adopt(std::int32_t partition);
  void look_at(Lane& lane, const kafka::OffsetRange& range, unsigned epoch);
  bool is_halted(std::int32_t partition) const;
  void go_on_or_throw(std::int32_t partition) const;
  Chain latest_chain(std::int32_t partition, unsigned& epoch) const;
  kafka::OffsetRange offsets(std::int32_t partition);
  bool goes_on(const Chain& chain, const kafka::OffsetRange& range, const Archive::Tip& tip);
  bool ends_before(std::int32_t partition, std::uint64_t next);
  bool is_as_archived(std::int32_t partition, std::int64_t low, const Claim& last);
  std::int64_t readable(std::int32_t partition, std::int64_t from);
  [[noreturn]] void halt(const Chain& chain, std::uint64_t next);

  const TopicReading reading;
  const Archive& archive;
  const std::string name;
  kafka::PartitionRanges ranges;
  std::optional<kafka::GroupMember> member;
  std::map<std::int32_t, Lane> lanes;
};

namespace {

class Reader : public RecordReader {
 public:
  Reader(kafka::PartitionRanges& ranges, std::optional<kafka::GroupMember>& member,
         const std::string& archive)
      : ranges_(ranges), member_(member), archive_(archive) {}

  std::optional<SourceRecord> next() override {
    constexpr std::uint64_t kBetweenPolls = 4'096;  // records
    while (const kafka::TopicRecord* const record = ranges_.next()) {
      if (++seen_ % kBetweenPolls == 0 && member_) member_->poll(milliseconds(0));
      const auto mark = mark_of(*record);
      if (mark && mark->archive == archive_) continue;
      return SourceRecord{plain_offset(record->offset), payload_of(*record),
                          may_be_twice(*record)};
    }
    return std::nullopt;
  }

 private:
  kafka::PartitionRanges& ranges_;
  std::optional<kafka::GroupMember>& member_;
  const std::string& archive_;
  std::uint64_t seen_ = 0;
};

}  // namespace

// Once: refuses what cannot be archived.
void TopicRecords::State::connect() {
  if (member) return;
  expect_topic_in(ranges.cluster(), reading);
  using Role = kafka::GroupMember::Role;
  const Role role = reading.share == TopicReading::Share::group ? Role::member : Role::beside;
  member.emplace(reading.settings, reading.topic, reading.group, role);
}

std::set<std::int32_t> TopicRecords::State::find_partitions() {
  if (reading.share == TopicReading::Share::all) {
    std::set<std::int32_t> all;
    for (const auto& partition : ranges.cluster().topic(reading.topic).partitions)
      all.insert(partition.id);
    return all;
  }
  const auto end = steady_clock::now() + reading.timeout;
  member->poll(milliseconds(0));
  while (!member->partitions() && !is_stopping() && steady_clock::now() < end) member->poll(kSlice);
  const auto ours = member->partitions().value_or(std::set<std::int32_t>{});
  if (ours.empty()) ranges.cluster().topic(reading.topic);  // because brokers are away?
  return ours;
}

kafka::OffsetRange TopicRecords::State::offsets(std::int32_t partition) {
  return ranges.offsets(partition);
}

// The youngest epoch that the archive has.
Chain TopicRecords::State::latest_chain(std::int32_t partition, unsigned& epoch) const {
  Chain latest{reading.topic, std::to_string(partition)};
  epoch = 0;
  for (const Chain& chain : archive.chains()) {
    const unsigned found = epoch_of(chain, reading.topic);
    if (chain.partition != latest.partition || found <= epoch) continue;
    epoch = found;
    latest.topic = chain.topic;
  }
  return latest;
}

// Brokers that have just become leaders may know an older end for a moment.
bool TopicRecords::State::ends_before(std::int32_t partition, std::uint64_t next) {
  // Of one that is halted that was waited for.
  const auto end = steady_clock::now() + (is_halted(partition) ? milliseconds(0) : reading.timeout);
  while (offsets(partition).high < signed_offset(next)) {
    if (is_stopping() || steady_clock::now() >= end) return true;
    if (member) member->poll(kSlice);
  }
  return false;
}

// Whether Kafka has, where the last claim was, what that archived: the first exchange there says it.
bool TopicRecords::State::is_as_archived(std::int32_t partition, std::int64_t low,
                                         const Claim& last) {
  const std::int64_t from = std::max(low, signed_offset(last.start));
  const std::int64_t to = signed_offset(last.end) + 1;
  if (last.kind != Claim::Kind::rows || last.file.rows == 0 || from >= to) return true;
  ranges.start(partition, from, to);
  bool met_own = false;    // what this archive put back, from another place
  bool met_other = false;  // what is no exchange, or has no time
  while (const kafka::TopicRecord* const record = ranges.next()) {
    const auto mark = mark_of(*record);
    const bool own = mark && mark->archive == archive.id();
    if (own && mark->chain == last.chain && signed_offset(mark->offset) == record->offset)
      return true;
    const std::int64_t at = own ? 0 : time_of(payload_of(*record));
    if (at != 0) return at >= last.file.min_created_at && at <= last.file.max_created_at;
    (own ? met_own : met_other) = true;
  }
  // Where nothing has a time nothing says that it is another topic; but a claim of rows was never
  // made of what was put back alone, unless retention took the rest.
  return !met_own || met_other || from > signed_offset(last.start);
}

bool TopicRecords::State::goes_on(const Chain& chain, const kafka::OffsetRange& range,
                                  const Archive::Tip& tip) {
  const std::int32_t partition = partition_of(chain);
  if (range.high < signed_offset(tip.next) && ends_before(partition, tip.next)) return false;
  return !tip.last || is_as_archived(partition, range.low, *tip.last);
}

// A claim that another left open may be about records that retention took since: what is left of
// them is read. When they go in the moment in which they are to be read, the next try knows.
std::int64_t TopicRecords::State::readable(std::int32_t partition, std::int64_t from) {
  const std::int64_t low = offsets(partition).low;
  const auto lane = lanes.find(partition);
  const bool known = lane == lanes.end() || from < lane->second.low;
  if (known || from >= low) return std::max(from, low);
  lane->second.low = low;
  throw RemoteError(fmt::format("{}: partition {} has not got offset {} any more: its retention "
                                "took it just now",
                                name, partition, from));
}

void TopicRecords::State::halt(const Chain& chain, std::uint64_t next) {
  throw StartupError(fmt::format(
      "{}: partition {} is not what was archived up to offset {}: the topic was deleted and made "
      "again, or lost what it had; `seguectl archive --new-epoch` archives it as a topic of its own "
      "from its beginning on, `seguectl restore` puts back what it had",
      name, chain.partition, next));
}

// A partition that is halted stays among those that are ours: the others do not wait for it.
void TopicRecords::State::adopt(std::int32_t partition) {
  unsigned epoch = 0;
  Lane lane{latest_chain(partition, epoch), 0};
  const kafka::OffsetRange range = offsets(partition);
  lane.low = range.low;
  try {
    if (epoch != 0) look_at(lane, range, epoch);
  } catch (const RemoteError&) {
    throw;  // the others would wait for the same
  } catch (const StartupError&) {
    lane.halted = std::current_exception();
  }
  lanes.insert_or_assign(partition, std::move(lane));
}

void TopicRecords::State::look_at(Lane& lane, const kafka::OffsetRange& range, unsigned epoch) {
  const Archive::Tip tip = archive.tip(lane.chain);
  if (goes_on(lane.chain, range, tip)) return;
  if (reading.epoch == TopicReading::Epoch::same) halt(lane.chain, tip.next);
  lane.chain.topic = fmt::format("{}@{}", reading.topic, epoch + 1);
}

bool TopicRecords::State::is_halted(std::int32_t partition) const {
  const auto lane = lanes.find(partition);
  return lane != lanes.end() && lane->second.halted;
}

void TopicRecords::State::go_on_or_throw(std::int32_t partition) const {
  if (is_halted(partition)) std::rethrow_exception(lanes.at(partition).halted);
}

TopicRecords::TopicRecords(TopicReading reading, const Archive& archive)
    : state_(std::make_unique<State>(std::move(reading), archive)) {}

TopicRecords::~TopicRecords() = default;

const std::string& TopicRecords::name() const { return state_->name; }

std::vector<Chain> TopicRecords::chains() {
  State& state = *state_;
  state.connect();
  const std::set<std::int32_t> ours = state.find_partitions();
  std::erase_if(state.lanes, [&](const auto& lane) {
    if (ours.contains(lane.first)) return false;
    state.ranges.stop(lane.first);
    return true;
  });
  for (const std::int32_t partition : ours)
    if (!state.lanes.contains(partition) || state.is_halted(partition)) state.adopt(partition);
  std::vector<Chain> chains;
  for (const auto& [partition, lane] : state.lanes) chains.push_back(lane.chain);
  return chains;
}

std::uint64_t TopicRecords::first(const Chain& chain) {
  state_->go_on_or_throw(partition_of(chain));
  return plain_offset(state_->offsets(partition_of(chain)).low);
}

std::optional<Waiting> TopicRecords::waiting(const Chain& chain, std::uint64_t next) {
  State& state = *state_;
  const std::int32_t partition = partition_of(chain);
  const auto lane = state.lanes.find(partition);
  if (lane == state.lanes.end()) return std::nullopt;  // another's by now
  state.go_on_or_throw(partition);
  const kafka::OffsetRange range = state.offsets(partition);
  const bool anew = range.low < lane->second.low;
  if (anew || (range.high < signed_offset(next) && state.ends_before(partition, next))) {
    state.ranges.stop(partition);
    state.lanes.erase(lane);  // looked at again, as one that is taken over
    if (state.reading.epoch == TopicReading::Epoch::same) state.halt(chain, next);
    return std::nullopt;
  }
  lane->second.low = range.low;
  Waiting waiting{.chain = chain, .lost_from = next, .from = next, .to = plain_offset(range.high)};
  if (range.low > signed_offset(next)) {
    waiting.from = plain_offset(range.low);
    waiting.lost_reason = fmt::format("Kafka's retention took it before it was archived; the "
                                      "partition began at offset {}",
                                      range.low);
  }
  if (waiting.to <= waiting.lost_from) return std::nullopt;
  return waiting;
}

std::unique_ptr<RecordReader> TopicRecords::read(const Chain& chain, std::uint64_t from,
                                                 std::uint64_t to) {
  State& state = *state_;
  const std::int32_t partition = partition_of(chain);
  state.go_on_or_throw(partition);
  state.ranges.start(partition, state.readable(partition, signed_offset(from)), signed_offset(to));
  return std::make_unique<Reader>(state.ranges, state.member, state.archive.id());
}

void TopicRecords::archived(const Chain& chain, std::uint64_t next) {
  const std::int32_t partition = partition_of(chain);
  if (state_->member && !state_->is_halted(partition))
    state_->member->commit(partition, signed_offset(next));
}

void TopicRecords::wait(milliseconds most) {
  State& state = *state_;
  const auto ours = [&] {
    return state.member ? state.member->partitions() : std::optional<std::set<std::int32_t>>{};
  };
  const bool joined = state.member && state.reading.share == TopicReading::Share::group;
  const auto before = ours();
  const auto end = steady_clock::now() + most;
  while (!state.is_stopping() && ours() == before) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    if (left <= milliseconds(0)) return;
    if (joined)
      state.member->poll(std::min(left, kSlice));
    else
      std::this_thread::sleep_for(std::min(left, kSlice));
  }
}

}  // namespace segue::warehouse
