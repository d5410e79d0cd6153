#include <functional>

#include "compare/decimal.hpp"
#include "compare/tree_differ.hpp"

namespace segue::compare {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = a * 0x9e3779b97f4a7c15U ^ (b + 0x7f4a7c15U);
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93U;
  return x ^ x >> 29;
}

std::uint64_t hash_of_text(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

// In place of values that are taken as equal.
constexpr std::uint64_t kHidden = 0x68;
constexpr std::uint64_t kIgnored = 0x69;
constexpr std::uint64_t kTolerated = 0x74;

}  // namespace

std::uint64_t TreeDiffer::hash(Which which, Index at, const Treatment& treatment) {
  const Node& node = tree(which)[at];
  spend_text(node.text);
  const auto kind = static_cast<std::uint64_t>(node.kind) + 1;
  switch (node.kind) {
    case NodeKind::null:
      return kind;
    case NodeKind::boolean:
      return mix(kind, node.text == "true" ? 1 : 0);
    case NodeKind::number:
      if (treatment.tolerance > 0) return mix(kind, kTolerated);
      if (treatment.patterns > 0 && may_ignore(treatment, node.text)) return kIgnored;
      return mix(kind, hash_of_number(node.text));
    case NodeKind::string:
    case NodeKind::text:
    case NodeKind::attribute:
      if (is_hidden(node, which)) return kHidden;
      if (may_ignore(treatment, node.text)) return mix(kind, kIgnored);
      return mix(kind, hash_of_text(node.text));
    case NodeKind::array:
    case NodeKind::object:
    case NodeKind::element:
    case NodeKind::lines:
      break;
  }
  return mix(mix(kind, hash_of_text(node.name)), hash_children(which, at, treatment));
}

bool TreeDiffer::may_ignore(const Treatment& treatment, std::string_view text) {
  spend_matching(treatment, text);
  return rules_.may_ignore(treatment, text);
}

// Members and attributes in any order, elements in theirs unless the array has another policy.
std::uint64_t TreeDiffer::hash_children(Which which, Index at, const Treatment& treatment) {
  const Tree& tree = this->tree(which);
  const NodeKind parent = tree[at].kind;
  const bool any_order = parent == NodeKind::array && treatment.array != ArrayPolicy::ordered;
  std::uint64_t unordered = 0;
  std::uint64_t ordered = 0;
  std::size_t index = 0;
  for (Index child = tree.first_child(at); child < tree[at].end; child = tree.next(child)) {
    if (is_over()) break;
    const std::uint64_t hashed = hash_child(which, at, child, index++);
    const bool is_named = parent == NodeKind::object || tree[child].kind == NodeKind::attribute;
    if (is_named || any_order)
      unordered += hashed;
    else
      ordered = mix(ordered + 1, hashed);
  }
  return mix(unordered, ordered);
}

// With its name when it has one; 0 when it is ignored.
std::uint64_t TreeDiffer::hash_child(Which which, Index parent, Index child, std::size_t index) {
  const Tree& tree = this->tree(which);
  if (tree[parent].kind == NodeKind::array) {
    const Within within(*this, which, parent, child, index);
    return within.treatment().is_ignored ? 0 : hash(which, child, within.treatment());
  }
  const Within within(*this, which, parent, child);
  if (within.treatment().is_ignored) return 0;
  const std::uint64_t hashed = hash(which, child, within.treatment());
  spend_text(tree[child].name);
  const bool is_named =
      tree[parent].kind == NodeKind::object || tree[child].kind == NodeKind::attribute;
  return is_named ? mix(hash_of_text(tree[child].name), hashed) : hashed;
}

}  // namespace segue::compare
