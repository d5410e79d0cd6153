#include "recorder/publisher/topic_limits.hpp"

#include <algorithm>

namespace segue::recorder {

TopicLimits::TopicLimits(std::size_t topics, std::size_t ceiling)
    : ceiling_(std::max(ceiling, kSmallest)), topics_(topics) {
  for (Topic& topic : topics_) topic.most = std::min(kAssumed, ceiling_);
}

void TopicLimits::learn(const std::vector<TopicAnswer>& answers) {
  for (std::size_t i = 0; i < topics_.size() && i < answers.size(); ++i) {
    const TopicAnswer& answer = answers[i];
    if (answer.kind != TopicAnswer::Kind::known || answer.max_message_bytes == topics_[i].told)
      continue;
    topics_[i].told = answer.max_message_bytes;
    topics_[i].most = std::clamp(answer.max_message_bytes, kSmallest, ceiling_);
  }
}

TopicLimits::Halved TopicLimits::refused(std::uint32_t topic) {
  if (topics_[topic].most == kSmallest) return Halved::no;
  topics_[topic].most = std::max(topics_[topic].most / 2, kSmallest);
  return Halved::yes;
}

std::size_t TopicLimits::smallest() const noexcept {
  std::size_t least = ceiling_;
  for (const Topic& topic : topics_) least = std::min(least, topic.most);
  return least;
}

}  // namespace segue::recorder
