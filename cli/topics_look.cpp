#include "cli/topics_look.hpp"

#include <algorithm>
#include <thread>

namespace segue::cli {
namespace {

using kafka::Committed;
using kafka::OffsetRanges;
using std::chrono::steady_clock;

// Offsets of a topic and of all groups at one moment.
struct Moment {
  steady_clock::time_point at;
  std::map<std::string, OffsetRanges> topics;
  std::map<std::string, Committed> groups;
};

std::map<std::string, Committed> committed_by_group(kafka::Cluster& cluster) {
  kafka::Groups groups(cluster);
  std::map<std::string, Committed> all;
  try {
    for (const kafka::GroupPlace& group : groups.list())
      all.emplace(group.name, groups.committed(group.name));
  } catch (const RemoteError&) {
    // Who may read a topic may not always look at its readers: the topic is described without.
  }
  return all;
}

Moment look(kafka::Cluster& cluster, const std::vector<TopicLook>& looks) {
  Moment moment{steady_clock::now(), {}, committed_by_group(cluster)};
  for (const TopicLook& one : looks)
    moment.topics.emplace(one.place.name, cluster.offsets(one.place));
  return moment;
}

std::int64_t end_sum(const OffsetRanges& ranges) {
  std::int64_t sum = 0;
  for (const auto& [partition, range] : ranges) sum += range.high;
  return sum;
}

std::int64_t committed_sum(const Committed& committed, const std::string& topic) {
  std::int64_t sum = 0;
  for (const auto& [place, offset] : committed)
    if (place.first == topic) sum += offset;
  return sum;
}

std::uint64_t lag_of(const Committed& committed, const std::string& topic,
                     const OffsetRanges& ranges) {
  std::int64_t lag = 0;
  for (const auto& [partition, range] : ranges) {
    const auto found = committed.find({topic, partition});
    const std::int64_t at = found == committed.end() ? range.low : found->second;
    lag += std::max<std::int64_t>(range.high - std::max(at, range.low), 0);
  }
  return static_cast<std::uint64_t>(lag);
}

void add_rates(TopicLook& one, const Moment& first, const Moment& second) {
  const double seconds = std::chrono::duration<double>(second.at - first.at).count();
  const auto rate = [seconds](std::int64_t records) {
    return seconds > 0 && records > 0 ? static_cast<double>(records) / seconds : 0;
  };
  const std::string& name = one.place.name;
  one.offsets = second.topics.at(name);
  one.written_a_second = rate(end_sum(one.offsets) - end_sum(first.topics.at(name)));
  for (const auto& [group, committed] : second.groups) {
    const bool reads = std::ranges::any_of(
        committed, [&name](const auto& entry) { return entry.first.first == name; });
    if (!reads) continue;
    const auto before = first.groups.find(group);
    const std::int64_t read =
        before == first.groups.end()
            ? 0
            : committed_sum(committed, name) - committed_sum(before->second, name);
    one.groups.push_back({group, lag_of(committed, name, one.offsets), rate(read)});
  }
}

}  // namespace

std::uint64_t TopicLook::records() const {
  std::int64_t sum = 0;
  for (const auto& [partition, range] : offsets) sum += range.high - range.low;
  return static_cast<std::uint64_t>(sum);
}

double TopicLook::skew() const {
  std::int64_t most = 0;
  for (const auto& [partition, range] : offsets) most = std::max(most, range.high - range.low);
  const std::uint64_t all = records();
  if (all == 0) return 0;
  return static_cast<double>(most) * static_cast<double>(offsets.size()) /
         static_cast<double>(all);
}

std::vector<TopicLook> look_at_topics(kafka::Cluster& cluster,
                                      const std::vector<std::string>& topics,
                                      std::chrono::milliseconds over) {
  kafka::Admin admin(cluster);
  std::vector<TopicLook> looks;
  for (const std::string& topic : topics)
    looks.push_back({cluster.topic(topic), {}, admin.topic_config(topic), 0, {}, std::nullopt});
  const Moment first = look(cluster, looks);
  if (over.count() > 0) std::this_thread::sleep_for(over);
  const Moment second = over.count() > 0 ? look(cluster, looks) : first;
  std::optional<kafka::SchemaRegistry> registry;
  if (cluster.settings().registry) registry.emplace(*cluster.settings().registry);
  for (TopicLook& one : looks) {
    add_rates(one, first, second);
    if (registry) one.schema = registry->latest(kafka::value_subject(one.place.name));
  }
  return looks;
}

}  // namespace segue::cli
