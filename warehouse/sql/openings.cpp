#include "warehouse/sql/openings.hpp"

#include <utility>

namespace segue::warehouse {

std::uint64_t Openings::next() {
  const std::lock_guard lock(mutex_);
  return ++last_;
}

std::optional<OpenObject> Openings::first(std::uint64_t number, std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = first_.find(number);
  if (found == first_.end() || found->second.key != key) return std::nullopt;
  return found->second;
}

OpenObject Openings::remember(std::uint64_t number, OpenObject object) {
  const std::lock_guard lock(mutex_);
  while (first_.size() >= kRemembered) first_.erase(first_.begin());
  const auto found = first_.emplace(number, object).first;
  return found->second.key == object.key ? found->second : std::move(object);
}

}  // namespace segue::warehouse
