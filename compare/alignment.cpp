#include "compare/alignment.hpp"

#include <algorithm>

namespace segue::compare {
namespace {

constexpr std::uint32_t kEqual = 1'024;
constexpr std::uint32_t kMostAlike = 1'000;  // of elements that are not equal

enum Way : std::uint8_t { kBoth, kLeft, kRight };

}  // namespace

void Alignment::clear() noexcept {
  left_.clear();
  right_.clear();
  traits_.clear();
  pairs_.clear();
  matches_.clear();
  work_ = 0;
}

std::size_t Alignment::held() const noexcept {
  return (left_.capacity() + right_.capacity()) * sizeof(Item) +
         (pairs_.capacity() + matches_.capacity()) * sizeof(Pair) +
         traits_.capacity() * sizeof(traits_[0]) + scores_.capacity() * sizeof(scores_[0]) +
         ways_.capacity();
}

Alignment::Ends Alignment::ends() const noexcept {
  const std::size_t most = std::min(left_.size(), right_.size());
  Ends ends;
  while (ends.front < most && left_[ends.front].hash == right_[ends.front].hash) ++ends.front;
  while (ends.back < most - ends.front &&
         left_[left_.size() - 1 - ends.back].hash == right_[right_.size() - 1 - ends.back].hash)
    ++ends.back;
  return ends;
}

bool Alignment::wants_traits(const Ends& ends) const noexcept {
  const std::size_t both = ends.front + ends.back;
  return (left_.size() - both) * (right_.size() - both) <= kMostCells;
}

// What it takes to hold the traits of each against those of each.
std::uint64_t Alignment::trait_steps(const Ends& ends) const noexcept {
  const auto traits = [&](const std::vector<Item>& items) {
    std::uint64_t count = 0;
    for (std::size_t i = ends.front; i + ends.back < items.size(); ++i)
      count += items[i].to - items[i].from;
    return count;
  };
  const std::size_t both = ends.front + ends.back;
  return traits(left_) * (right_.size() - both) + traits(right_) * (left_.size() - both);
}

std::uint32_t Alignment::likeness(const Item& a, const Item& b) const noexcept {
  if (a.hash == b.hash) return kEqual;
  if (equal_only_ || a.name != b.name) return 0;
  const std::uint32_t base = a.name != 0 ? 1 : 0;
  std::uint32_t l = a.from;
  std::uint32_t r = b.from;
  std::uint32_t shared = 0;
  while (l < a.to && r < b.to) {
    if (traits_[l] == traits_[r]) {
      ++shared;
      ++l;
      ++r;
    } else {
      traits_[l] < traits_[r] ? ++l : ++r;
    }
  }
  const std::uint32_t all = std::max(a.to - a.from, b.to - b.from);
  return all == 0 ? base : base + shared * (kMostAlike - 1) / all;
}

// Between two pairs: as they come, as far as names allow.
void Alignment::pair_gap(std::size_t l, std::size_t l_end, std::size_t r, std::size_t r_end) {
  while (l < l_end && r < r_end && left_[l].name == right_[r].name)
    pairs_.push_back({static_cast<std::uint32_t>(l++), static_cast<std::uint32_t>(r++)});
  for (; l < l_end; ++l) pairs_.push_back({static_cast<std::uint32_t>(l), kNone});
  for (; r < r_end; ++r) pairs_.push_back({kNone, static_cast<std::uint32_t>(r)});
}

// Fills matches_ with what belongs together, last first.
void Alignment::pair_middle(std::size_t front, std::size_t rows, std::size_t columns) {
  ways_.assign(rows * columns, kLeft);
  scores_.assign(columns + 1, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint32_t diagonal = 0;  // of the row above
    for (std::size_t j = 0; j < columns; ++j) {
      const std::uint32_t alike = likeness(left_[front + i], right_[front + j]);
      const std::uint32_t above = scores_[j + 1];
      std::uint32_t best = above;
      Way way = kLeft;
      if (scores_[j] > best) {
        best = scores_[j];
        way = kRight;
      }
      if (alike > 0 && diagonal + alike > best) {
        best = diagonal + alike;
        way = kBoth;
      }
      diagonal = above;
      scores_[j + 1] = best;
      ways_[i * columns + j] = way;
    }
  }
  for (std::size_t i = rows, j = columns; i > 0 && j > 0;) {
    const std::uint8_t way = ways_[(i - 1) * columns + (j - 1)];
    if (way == kBoth)
      matches_.push_back(
          {static_cast<std::uint32_t>(front + --i), static_cast<std::uint32_t>(front + --j)});
    else
      way == kLeft ? --i : --j;
  }
}

const std::vector<Alignment::Pair>& Alignment::pair(const Ends& ends) {
  const std::size_t rows = left_.size() - ends.front - ends.back;
  const std::size_t columns = right_.size() - ends.front - ends.back;
  constexpr std::uint64_t kStepsOfNode = 8;  // that cost what a node does
  const std::uint64_t steps = trait_steps(ends);
  equal_only_ = !wants_traits(ends) || steps > kMostTraitSteps;
  if (rows > 0 && columns > 0 && rows * columns <= kMostEqualCells) {
    pair_middle(ends.front, rows, columns);
    work_ = rows * columns + (equal_only_ ? 0 : steps / kStepsOfNode);
  }
  std::size_t l = 0;
  std::size_t r = 0;
  for (; l < ends.front; ++l, ++r) pair_gap(l, l + 1, r, r + 1);
  for (auto match = matches_.rbegin(); match != matches_.rend(); ++match) {
    pair_gap(l, match->left, r, match->right);
    pairs_.push_back(*match);
    l = match->left + 1;
    r = match->right + 1;
  }
  pair_gap(l, ends.front + rows, r, ends.front + columns);
  for (std::size_t i = 0; i < ends.back; ++i)
    pairs_.push_back({static_cast<std::uint32_t>(ends.front + rows + i),
                      static_cast<std::uint32_t>(ends.front + columns + i)});
  return pairs_;
}

}  // namespace segue::compare
