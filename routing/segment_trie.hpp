#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/path_pattern.hpp"

namespace segue::routing {

struct CompiledRoute;

// One pattern of one route as it hangs in the tree, with all that a search asks of most routes:
// at thousands of routes a decision costs by the cache lines it touches.
struct TrieEntry {
  std::uint32_t order = 0;          // place in the effective order; the lowest that matches wins
  std::uint32_t pattern = 0;        // index in route->patterns
  std::uint64_t methods = 0;        // as in CompiledRoute
  const re2::RE2* whole = nullptr;  // as in PathPattern
  const CompiledRoute* route = nullptr;
  std::uint32_t rest_least = 0;  // as in PathPattern
  bool has_conditions = false;   // on scheme, headers or query
  bool has_parameters = false;
};
TrieEntry make_entry(const CompiledRoute& route, std::uint32_t pattern);

// The routes of one host, searched by segment: literals by hash, then expressions, then
// parameters, then what takes the rest. A branch that cannot hold anything better than what was
// found is not entered, so the cost grows with the segments of the request and the alternatives
// at each, not with the routes. Immutable once built; views the patterns it was built from.
class SegmentTrie {
 public:
  // Entries in any order; `patterns` of their routes must outlive the tree.
  explicit SegmentTrie(std::span<const TrieEntry> entries);

  // The entry of lowest order whose pattern matches `path` and for which accepts(entry) is true;
  // null when there is none. Never allocates.
  template <class Accepts>
  const TrieEntry* find(const RequestPath& path, Accepts accepts) const {
    Search<Accepts> search{*this, path, accepts, nullptr, kNone};
    if (!nodes_.empty()) search.visit(0, 0);
    return search.best;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  struct Node {
    std::uint32_t least_order = kNone;  // of all entries at and below
    std::uint32_t parameter = kNone;    // child
    bool has_literals = false;
    Range expressions;  // in expressions_
    Range ends;         // in entries_, by order
    Range rests;        // in entries_, by order
  };
  struct Expression {
    const re2::RE2* regex;
    std::uint32_t child;
  };
  struct LiteralSlot {
    std::uint64_t hash = 0;  // of the text and its parent
    std::uint32_t text_begin = 0;  // in texts_
    std::uint32_t text_size = 0;
    std::uint32_t parent = kNone;
    std::uint32_t child = kNone;  // kNone: free
  };

  template <class Accepts>
  struct Search {
    const SegmentTrie& trie;
    const RequestPath& path;
    Accepts& accepts;
    const TrieEntry* best;
    std::uint32_t best_order;

    void consider(Range range, std::size_t left) {
      for (std::uint32_t i = range.begin; i < range.end; ++i) {
        const TrieEntry& entry = trie.entries_[i];
        if (entry.order >= best_order) return;
        if (!fits(entry, path, left) || !accepts(entry)) continue;
        best = &entry;
        best_order = entry.order;
        return;
      }
    }

    void visit(std::uint32_t index, std::size_t depth) {
      const Node& node = trie.nodes_[index];
      if (node.least_order >= best_order) return;
      const auto segments = path.segments();
      if (depth == segments.size()) {
        consider(node.ends, 0);
      } else {
        const PathSegment& segment = segments[depth];
        if (node.has_literals) {
          const auto child = trie.literal_child(index, segment);
          if (child != kNone) visit(child, depth + 1);
        }
        if (!segment.text.empty()) visit_wild(node, segment, depth);
      }
      consider(node.rests, segments.size() - depth);
    }

    void visit_wild(const Node& node, const PathSegment& segment, std::size_t depth) {
      for (std::uint32_t i = node.expressions.begin; i < node.expressions.end; ++i) {
        const Expression& expression = trie.expressions_[i];
        if (trie.nodes_[expression.child].least_order < best_order &&
            matches_whole(*expression.regex, segment.text))
          visit(expression.child, depth + 1);
      }
      if (node.parameter != kNone) visit(node.parameter, depth + 1);
    }
  };

  static bool fits(const TrieEntry& entry, const RequestPath& path, std::size_t left) noexcept {
    return left >= entry.rest_least &&
           (entry.whole == nullptr || matches_whole(*entry.whole, path.text()));
  }
  std::uint32_t literal_child(std::uint32_t parent, const PathSegment& segment) const noexcept;
  static std::uint64_t slot_hash(std::uint32_t parent, std::uint64_t segment_hash) noexcept {
    return segment_hash ^ (parent + 1) * std::uint64_t{0x9e3779b97f4a7c15};
  }

  struct Draft;
  std::uint32_t flatten(const Draft& draft, std::vector<LiteralSlot>& literals);
  LiteralSlot slot_for(std::string_view text, std::uint32_t parent, std::uint32_t child);
  void fill_slots(std::span<const LiteralSlot> literals);

  std::vector<Node> nodes_;
  std::vector<Expression> expressions_;
  std::vector<TrieEntry> entries_;
  std::string texts_;               // of all literals
  std::vector<LiteralSlot> slots_;  // open addressing; a power of two, at most half full
};

}  // namespace segue::routing
