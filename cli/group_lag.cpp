#include "cli/group_lag.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "kafka/admin.hpp"

namespace segue::cli {
namespace {

// Ends of topics, asked for once each.
class Ends {
 public:
  explicit Ends(kafka::Cluster& cluster) : cluster_(cluster) {}

  // nullopt: the topic or the partition is not there any more.
  std::optional<kafka::OffsetRange> of(const std::string& topic, std::int32_t partition) {
    auto found = topics_.find(topic);
    if (found == topics_.end()) {
      const auto place = cluster_.find_topic(topic);
      found = topics_.emplace(topic, place ? cluster_.offsets(*place) : kafka::OffsetRanges{}).first;
    }
    const auto range = found->second.find(partition);
    return range == found->second.end() ? std::nullopt : std::optional(range->second);
  }

 private:
  kafka::Cluster& cluster_;
  std::map<std::string, kafka::OffsetRanges> topics_;
};

std::vector<PartitionLag> lags_of(const kafka::Committed& committed, Ends& ends) {
  std::vector<PartitionLag> lags;
  for (const auto& [place, offset] : committed)
    if (const auto range = ends.of(place.first, place.second))
      lags.push_back({place.first, place.second, offset, range->high,
                      std::max<std::int64_t>(range->low - offset, 0)});
  return lags;
}

// How long brokers keep the offsets of a group without members; nullopt: they do not say.
std::optional<std::int64_t> retention_millis(kafka::Cluster& cluster) {
  constexpr std::int64_t kMinute = 60'000;
  const std::vector<kafka::BrokerPlace> brokers = cluster.brokers();
  if (brokers.empty()) return std::nullopt;
  const kafka::ConfigValues config = kafka::Admin(cluster).broker_config(brokers.front().id);
  const auto found = config.find("offsets.retention.minutes");
  if (found == config.end()) return std::nullopt;
  const std::string& text = found->second.value;
  std::int64_t minutes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
  return error == std::errc{} ? std::optional(minutes * kMinute) : std::nullopt;
}

bool may_expire(const GroupLag& lag) {
  return lag.group.state == "Empty" && !lag.partitions.empty();
}

void add_expiries(kafka::Cluster& cluster, std::vector<GroupLag>& lags) {
  std::vector<std::string> names;
  for (const GroupLag& lag : lags)
    if (may_expire(lag)) names.push_back(lag.group.name);
  if (names.empty()) return;
  std::string why = "its last commit is not on record any more";
  std::map<std::string, std::int64_t> commits;
  std::optional<std::int64_t> retention;
  try {
    retention = retention_millis(cluster);
    if (!retention) why = "the broker does not say how long it keeps offsets";
    commits = kafka::Groups(cluster).last_commits(names);
  } catch (const RemoteError& error) {
    why = error.what();  // not everybody may look there, and the lags are known all the same
  }
  for (GroupLag& lag : lags) {
    if (!may_expire(lag)) continue;
    const auto commit = commits.find(lag.group.name);
    if (retention && commit != commits.end())
      lag.expiry = {Expiry::Kind::known, commit->second + *retention, {}};
    else
      lag.expiry = {Expiry::Kind::unknown, 0, why};
  }
}

}  // namespace

std::uint64_t GroupLag::lag() const {
  std::uint64_t sum = 0;
  for (const PartitionLag& one : partitions) sum += one.lag();
  return sum;
}

std::vector<GroupLag> look_at_groups(kafka::Cluster& cluster,
                                     const std::vector<std::string>& names) {
  kafka::Groups groups(cluster);
  std::vector<std::string> wanted = names;
  if (wanted.empty())
    for (const kafka::GroupPlace& group : groups.list()) wanted.push_back(group.name);
  Ends ends(cluster);
  std::vector<GroupLag> lags;
  for (const std::string& name : wanted) {
    GroupLag lag{groups.describe(name), {}, {}};
    lag.partitions = lags_of(groups.committed(name), ends);
    lags.push_back(std::move(lag));
  }
  add_expiries(cluster, lags);
  return lags;
}

}  // namespace segue::cli
