#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "compare/comparer.hpp"

namespace segue::compare {

// Gathers what one comparison finds, up to limits. Text is made valid UTF-8 and cut. One thread;
// keeps its memory.
class DifferenceList {
 public:
  static constexpr std::size_t kMostDifferences = 1'000;  // of a pair
  static constexpr std::uint32_t kMostOfField = 20;       // of one kind and field
  static constexpr std::size_t kMostHidden = 1'000;       // fields
  static constexpr std::size_t kMostPathBytes = 1'000;

  explicit DifferenceList(Comparison& comparison) : comparison_(comparison) {}

  void clear();
  // Whether there is room for one more of this kind and field.
  bool wants(Part part, std::string_view field, DifferenceKind kind);
  // What there is no room for is left out.
  void add(Part part, std::string_view path, std::string_view field, DifferenceKind kind,
           std::string_view left, std::string_view right);
  void hide(std::string_view field);

  // Whether a field differs in a way of which the list shows nothing.
  bool lacks_a_field() const noexcept { return lacks_a_field_; }

 private:
  Comparison& comparison_;
  std::unordered_map<std::string, std::uint32_t> listed_;  // by part, kind and field
  std::unordered_set<std::string> hidden_;
  std::string key_;  // of what wants() was asked last
  bool lacks_a_field_ = false;
};

// At most `most` bytes of `text`, as valid UTF-8: what is none becomes U+FFFD.
std::string readable(std::string_view text, std::size_t most);

}  // namespace segue::compare
