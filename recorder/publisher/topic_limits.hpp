#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "recorder/publisher/topic_probe.hpp"

namespace segue::recorder {

// How large a record of each topic may be, by what the cluster says and by what it refused. One
// thread.
class TopicLimits {
 public:
  // As `seguectl topics ensure` sets it: assumed where the cluster does not say.
  static constexpr std::size_t kAssumed = 4 << 20;
  // Nothing of use fits into less.
  static constexpr std::size_t kSmallest = 1'024;

  // `ceiling`: what the producer itself takes at most.
  TopicLimits(std::size_t topics, std::size_t ceiling);

  void learn(const std::vector<TopicAnswer>& answers);
  // A record within the limit was refused as too large: half of it from now on, until the cluster
  // says another limit than before. False: it is the smallest already.
  enum class Halved { yes, no };
  Halved refused(std::uint32_t topic);

  std::size_t of(std::uint32_t topic) const noexcept { return topics_[topic].most; }
  std::size_t smallest() const noexcept;

 private:
  struct Topic {
    std::size_t told = 0;  // 0: not
    std::size_t most = kAssumed;
  };
  const std::size_t ceiling_;
  std::vector<Topic> topics_;
};

}  // namespace segue::recorder
