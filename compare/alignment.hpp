#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace segue::compare {

// Finds which elements of two sequences of different length belong together, so that one that was
// inserted in front does not make all others differ: the pairs, in order, that are alike the most
// (Needleman and Wunsch, 1970). Elements between two pairs are paired as they come.
//
// Bounded: beyond kMostCells of left times right, or kMostTraitSteps between their traits, only
// equal elements count; beyond kMostEqualCells elements are paired by position. Equal ones at both
// ends cost nothing.
class Alignment {
 public:
  static constexpr std::size_t kMostCells = 16'384;
  static constexpr std::size_t kMostEqualCells = 1'000'000;
  static constexpr std::uint64_t kMostTraitSteps = 4'000'000;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Item {
    std::uint64_t hash = 0;  // equal: the elements are
    std::uint64_t name = 0;  // elements of different names do not belong together
    std::uint32_t from = 0;  // hashes of what it consists of, sorted: traits() [from, to)
    std::uint32_t to = 0;
  };
  struct Pair {
    std::uint32_t left = kNone;
    std::uint32_t right = kNone;
  };

  void clear() noexcept;
  std::vector<Item>& left() noexcept { return left_; }
  std::vector<Item>& right() noexcept { return right_; }
  std::vector<std::uint64_t>& traits() noexcept { return traits_; }

  // Equal elements at the beginning and at the end.
  struct Ends {
    std::size_t front = 0;
    std::size_t back = 0;
  };
  Ends ends() const noexcept;
  // Whether traits will be looked at.
  bool wants_traits(const Ends& ends) const noexcept;

  // Valid until clear(). What `left` has alone stands before what `right` has alone.
  const std::vector<Pair>& pair(const Ends& ends);
  std::size_t held() const noexcept;  // bytes of memory
  // What pair() has cost, in nodes of a tree.
  std::uint64_t work() const noexcept { return work_; }

 private:
  std::uint32_t likeness(const Item& a, const Item& b) const noexcept;
  std::uint64_t trait_steps(const Ends& ends) const noexcept;
  void pair_gap(std::size_t l, std::size_t l_end, std::size_t r, std::size_t r_end);
  void pair_middle(std::size_t front, std::size_t rows, std::size_t columns);

  std::vector<Item> left_;
  std::vector<Item> right_;
  std::vector<std::uint64_t> traits_;
  std::vector<Pair> pairs_;
  std::vector<std::uint8_t> ways_;
  std::vector<std::uint32_t> scores_;
  std::vector<Pair> matches_;
  std::uint64_t work_ = 0;
  bool equal_only_ = false;
};

}  // namespace segue::compare
