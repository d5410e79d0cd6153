#include "routing/segment_trie.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <memory>

#include "routing/compiled_routes.hpp"

namespace segue::routing {

// The tree while it grows. Maps are ordered, so that equal inputs give equal trees.
struct SegmentTrie::Draft {
  std::map<std::string_view, std::unique_ptr<Draft>> literals;
  std::map<std::string_view, std::pair<const re2::RE2*, std::unique_ptr<Draft>>> expressions;
  std::unique_ptr<Draft> parameter;
  std::vector<TrieEntry> ends;
  std::vector<TrieEntry> rests;

  Draft& child(const PatternSegment& segment) {
    std::unique_ptr<Draft>* child = &parameter;
    if (segment.kind == SegmentKind::literal) {
      child = &literals[segment.text];
    } else if (segment.kind == SegmentKind::regex) {
      auto& [regex, place] = expressions[segment.text];
      regex = segment.regex;
      child = &place;
    }
    if (!*child) *child = std::make_unique<Draft>();
    return **child;
  }
};

SegmentTrie::SegmentTrie(std::span<const TrieEntry> entries) {
  Draft root;
  std::vector<TrieEntry> sorted(entries.begin(), entries.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.order < b.order; });
  for (const auto& entry : sorted) {
    const PathPattern& pattern = entry.route->patterns[entry.pattern];
    Draft* at = &root;
    for (const auto& segment : pattern.segments) at = &at->child(segment);
    (pattern.ending == Ending::ends ? at->ends : at->rests).push_back(entry);
  }
  std::vector<LiteralSlot> literals;
  flatten(root, literals);
  fill_slots(literals);
}

std::uint32_t SegmentTrie::flatten(const Draft& draft, std::vector<LiteralSlot>& literals) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  Node node;
  const auto place = [this](const std::vector<TrieEntry>& entries) {
    const auto begin = static_cast<std::uint32_t>(entries_.size());
    entries_.insert(entries_.end(), entries.begin(), entries.end());
    return Range{begin, static_cast<std::uint32_t>(entries_.size())};
  };
  node.ends = place(draft.ends);
  node.rests = place(draft.rests);
  for (const auto* list : {&draft.ends, &draft.rests}) {
    if (!list->empty()) node.least_order = std::min(node.least_order, list->front().order);
  }
  node.has_literals = !draft.literals.empty();
  for (const auto& [text, child] : draft.literals) {
    const auto child_index = flatten(*child, literals);
    literals.push_back(slot_for(text, index, child_index));
    node.least_order = std::min(node.least_order, nodes_[child_index].least_order);
  }
  std::vector<Expression> expressions;
  for (const auto& [text, child] : draft.expressions) {
    expressions.push_back({child.first, flatten(*child.second, literals)});
    node.least_order = std::min(node.least_order, nodes_[expressions.back().child].least_order);
  }
  node.expressions.begin = static_cast<std::uint32_t>(expressions_.size());
  expressions_.insert(expressions_.end(), expressions.begin(), expressions.end());
  node.expressions.end = static_cast<std::uint32_t>(expressions_.size());
  if (draft.parameter) {
    node.parameter = flatten(*draft.parameter, literals);
    node.least_order = std::min(node.least_order, nodes_[node.parameter].least_order);
  }
  nodes_[index] = node;
  return index;
}

SegmentTrie::LiteralSlot SegmentTrie::slot_for(std::string_view text, std::uint32_t parent,
                                               std::uint32_t child) {
  const auto begin = static_cast<std::uint32_t>(texts_.size());
  texts_ += text;
  return {slot_hash(parent, segment_hash(text)), begin, static_cast<std::uint32_t>(text.size()),
          parent, child};
}

void SegmentTrie::fill_slots(std::span<const LiteralSlot> literals) {
  slots_.resize(std::bit_ceil(literals.size() * 2 + 1));
  for (const auto& literal : literals) {
    auto at = literal.hash & (slots_.size() - 1);
    while (slots_[at].child != kNone) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = literal;
  }
}

std::uint32_t SegmentTrie::literal_child(std::uint32_t parent,
                                         const PathSegment& segment) const noexcept {
  const auto hash = slot_hash(parent, segment.hash);
  auto at = hash & (slots_.size() - 1);
  for (; slots_[at].child != kNone; at = (at + 1) & (slots_.size() - 1)) {
    const LiteralSlot& slot = slots_[at];
    if (slot.hash == hash && slot.parent == parent &&
        std::string_view(texts_).substr(slot.text_begin, slot.text_size) == segment.text)
      return slot.child;
  }
  return kNone;
}

TrieEntry make_entry(const CompiledRoute& route, std::uint32_t pattern) {
  const PathPattern& form = route.patterns[pattern];
  TrieEntry entry;
  entry.pattern = pattern;
  entry.methods = route.methods;
  entry.whole = form.whole;
  entry.route = &route;
  entry.rest_least = static_cast<std::uint32_t>(form.rest_least);
  entry.has_conditions =
      !route.rule.match.scheme.empty() || !route.headers.empty() || !route.query.empty();
  entry.has_parameters = !form.rest_parameter.empty() ||
                         std::any_of(form.segments.begin(), form.segments.end(),
                                     [](const auto& part) { return !part.parameter.empty(); });
  return entry;
}

}  // namespace segue::routing
