#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/substitutes.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// One step of a path (RFC 9535, 1.4.2): a name, an index (negative: from the end) or `*`, of a
// child or of any descendant.
struct JsonStep {
  enum class Kind : std::uint8_t { name, index, any };
  Kind kind = Kind::any;
  bool descends = false;  // `..`
  std::string name;
  std::int64_t index = 0;
};

// $.a.b, $['a b'], $["x"][0], $..password, $.list[*].id, $[-1]. Of RFC 9535 these parts alone;
// `$` by itself is every body.
struct JsonPath {
  std::vector<JsonStep> steps;

  static constexpr std::size_t kMostSteps = 32;
  // Or why it is no path, and where.
  struct Problem {
    std::string what;
    std::size_t at = 0;
  };
  static std::optional<JsonPath> parse(std::string_view text, Problem& problem);
};

// A state is a step of one of several paths that waits to be matched by a child; all states of one
// value are carried to its children.
using JsonPathState = std::uint32_t;

constexpr JsonPathState json_path_state(std::size_t path, std::size_t step) noexcept {
  return static_cast<JsonPathState>(path << 8 | step);
}

// Appends the states of a child to `states`, whose [from, to) are those of its parent. Each of
// `paths` has `steps`; `matches(step)`: whether the step takes the child; `ends(path)` is called
// with the index of each path that ends there.
template <class Paths, class Matches, class Ends>
void carry_states(const Paths& paths, std::vector<JsonPathState>& states, std::size_t from,
                  std::size_t to, Matches matches, Ends ends) {
  const std::size_t begin = states.size();
  // States of one path stand together, and only these can be the same.
  const auto add = [&](JsonPathState added) {
    for (std::size_t i = states.size(); i-- > begin && states[i] >> 8 == added >> 8;)
      if (states[i] == added) return;
    states.push_back(added);
  };
  for (std::size_t i = from; i < to; ++i) {
    const JsonPathState now = states[i];
    const std::size_t path = now >> 8;
    const std::size_t at = now & 0xff;
    const std::vector<JsonStep>& steps = paths[path].steps;
    if (steps[at].descends) add(now);
    if (!matches(steps[at])) continue;
    if (at + 1 == steps.size())
      ends(path);
    else
      add(json_path_state(path, at + 1));
  }
}

// Paths compiled together. Immutable; any thread.
class JsonPaths {
 public:
  using State = JsonPathState;
  static constexpr int kNone = -1;

  // Every path parses. Rules are numbered from `first`.
  JsonPaths(const std::vector<Redaction>& paths, RuleIndex first);

  bool empty() const noexcept { return paths_.empty(); }
  bool counts_arrays() const noexcept { return counts_arrays_; }  // a negative index is among them

  // The states of the whole document; the rule that hides it all, or kNone.
  int start(std::vector<State>& states) const;

  // Appends the states of a child to `states`, whose [from, to) are those of its parent. Returns
  // the strictest rule that hides the child, or kNone. `length`: of the array, where
  // counts_arrays().
  int enter_member(std::vector<State>& states, std::size_t from, std::size_t to,
                   std::string_view name) const;
  int enter_element(std::vector<State>& states, std::size_t from, std::size_t to,
                    std::uint64_t index, std::uint64_t length) const;

 private:
  struct Path {
    std::vector<JsonStep> steps;
    RedactionMode mode;
  };
  template <class Matches>
  int enter(std::vector<State>& states, std::size_t from, std::size_t to, Matches matches) const;
  int stricter(int a, std::size_t b) const;

  std::vector<Path> paths_;
  RuleIndex first_;
  bool counts_arrays_ = false;
};

}  // namespace segue::recorder
