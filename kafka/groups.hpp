#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kafka/cluster.hpp"

namespace segue::kafka {

// A consumer group as its coordinator sees it.
struct GroupPlace {
  std::string name;
  std::string state;        // "Stable", "Empty", "Dead", ...
  std::size_t members = 0;  // of groups with the newer protocol (KIP-848) older clients see none
};

// Committed offsets by topic and partition; partitions without one are left out.
using Committed = std::map<std::pair<std::string, std::int32_t>, std::int64_t>;

// Looks at consumer groups; joins none. Every call waits at most the cluster's timeout and throws
// RemoteError. One thread; the cluster must outlive it.
class Groups {
 public:
  explicit Groups(Cluster& cluster) : cluster_(cluster) {}

  // All that this user may see, by name.
  std::vector<GroupPlace> list();
  GroupPlace describe(const std::string& group);
  Committed committed(const std::string& group);

  // When each of these groups last committed, Unix milliseconds, as far as the topic in which
  // brokers keep offsets still says; groups of which it says nothing are left out. Reads the
  // partitions of that topic which hold these groups: they are compacted, but may be long.
  std::map<std::string, std::int64_t> last_commits(const std::vector<std::string>& groups);

 private:
  Cluster& cluster_;
};

}  // namespace segue::kafka
