#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compare/settings.hpp"
#include "recorder/redaction/json_path.hpp"

namespace re2 {
class RE2;
}

namespace segue::compare {

// What a route's rules say about the value at one path. Of several rules for it any that takes two
// values as equal suffices, the largest tolerance counts, and of array policies the last one that
// is not `ordered`.
struct Treatment {
  bool is_ignored = false;
  bool ignores_uuids = false;
  bool ignores_timestamps = false;
  ArrayPolicy array = ArrayPolicy::ordered;
  const std::vector<recorder::JsonStep>* key = nullptr;  // with by_key
  double tolerance = 0;
  // Patterns of PathRules::matches(), [from, to); valid until the next value is entered.
  std::uint32_t patterns = 0;
};

// The rules of `compare.json` and `compare.ignore_json`, compiled together. One thread.
//
// A state is a step of a path that waits to be matched by a child; all states of one value are
// carried to its children.
class PathRules {
 public:
  using State = recorder::JsonPathState;

  PathRules();
  ~PathRules();
  // Why one of them is none; empty: all are compiled.
  std::string compile(const RouteRules& rules);

  bool empty() const noexcept { return paths_.empty(); }

  // Appends the states of the whole document to `states`.
  Treatment start(std::vector<State>& states);
  // Appends those of a child to `states`, whose [from, to) are its parent's.
  Treatment enter_member(std::vector<State>& states, std::size_t from, std::size_t to,
                         std::string_view name);
  Treatment enter_element(std::vector<State>& states, std::size_t from, std::size_t to,
                          std::uint64_t index, std::uint64_t length);

  // Whether one of the patterns of `treatment`, the last one given, matches both in full.
  bool matches(const Treatment& treatment, std::string_view a, std::string_view b) const;
  // Whether a pattern of it, or a type, matches `text`.
  bool may_ignore(const Treatment& treatment, std::string_view text) const;

 private:
  struct Path {
    std::vector<recorder::JsonStep> steps;
    bool is_ignored = false;
    PathRule rule;
    std::vector<recorder::JsonStep> key;
    std::unique_ptr<re2::RE2> pattern;
  };
  template <class Matches>
  Treatment enter(std::vector<State>& states, std::size_t from, std::size_t to, Matches matches);
  void apply(const Path& path, Treatment& treatment);

  std::vector<Path> paths_;
  std::vector<const re2::RE2*> patterns_;  // of the last treatment
};

}  // namespace segue::compare
