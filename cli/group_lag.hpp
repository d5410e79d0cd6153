#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/cluster.hpp"
#include "kafka/groups.hpp"

namespace segue::cli {

struct PartitionLag {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t committed = 0;
  std::int64_t end = 0;
  std::int64_t lost = 0;  // records that retention took before they were read

  std::uint64_t lag() const {
    return committed < end ? static_cast<std::uint64_t>(end - committed) : 0;
  }
};

// When the offsets of a group are forgotten that has no members: at the earliest so long after its
// last commit.
struct Expiry {
  enum class Kind : std::uint8_t { in_use, known, unknown } kind = Kind::in_use;
  std::int64_t unix_millis = 0;  // known: when
  std::string why;               // unknown: why
};

struct GroupLag {
  kafka::GroupPlace group;
  std::vector<PartitionLag> partitions;
  Expiry expiry;

  std::uint64_t lag() const;
};

// These groups, or with none named all that this user may see. A group that does not exist is
// there with state Dead and no partitions. Throws RemoteError.
std::vector<GroupLag> look_at_groups(kafka::Cluster& cluster,
                                     const std::vector<std::string>& names);

}  // namespace segue::cli
