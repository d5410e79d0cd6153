#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compare/comparer.hpp"

namespace segue::compare {

// Gathers what one comparison finds, up to limits. Text is made valid UTF-8 and cut.
class DifferenceList {
 public:
  static constexpr std::size_t kMostDifferences = 1'000;  // of a pair; more are not listed
  static constexpr std::size_t kMostHidden = 1'000;       // fields
  static constexpr std::size_t kMostPathBytes = 1'000;

  explicit DifferenceList(Comparison& comparison) : comparison_(comparison) {}

  void clear();
  void add(Part part, std::string_view path, std::string_view field, DifferenceKind kind,
           std::string_view left, std::string_view right);
  void hide(std::string_view field);

  bool is_full() const noexcept { return size() >= kMostDifferences; }
  std::size_t size() const noexcept { return comparison_.differences.size(); }
  void cut_to(std::size_t size) { comparison_.differences.resize(size); }

 private:
  Comparison& comparison_;
};

// At most `most` bytes of `text`, as valid UTF-8: what is none becomes U+FFFD.
std::string readable(std::string_view text, std::size_t most);

}  // namespace segue::compare
