#include <algorithm>
#include <functional>
#include <string>

#include "compare/decimal.hpp"
#include "compare/tree_differ.hpp"

namespace segue::compare {
namespace {

using recorder::JsonStep;

constexpr std::uint64_t kNoKey = 0;

// A count as it is shown of arrays of different length.
std::string elements(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " element" : " elements");
}

}  // namespace

void TreeDiffer::gather(Siblings siblings) const {
  const Tree& tree = this->tree(siblings.which);
  const Index end = tree[siblings.parent].end;
  for (Index at = tree.first_child(siblings.parent); at < end; at = tree.next(at))
    if (tree[at].kind != NodeKind::attribute) siblings.children.add(at);
}

bool TreeDiffer::names_agree(Siblings left, Siblings right) const noexcept {
  for (std::size_t i = 0; i < left.children.size(); ++i) {
    const Node& a = (*left_)[left.children[i]];
    const Node& b = (*right_)[right.children[i]];
    if (a.kind != b.kind || a.name != b.name) return false;
  }
  return true;
}

void TreeDiffer::sequence(Index l, Index r, const Treatment& treatment) {
  Indexes lefts(left_indexes_);
  Indexes rights(right_indexes_);
  const Siblings left{Which::left, l, lefts};
  const Siblings right{Which::right, r, rights};
  gather(left);
  gather(right);
  const NodeKind kind = (*left_)[l].kind;
  const bool same_size = lefts.size() == rights.size();
  if (kind == NodeKind::element)
    return same_size && names_agree(left, right) ? by_position(left, right)
                                                 : by_alignment(left, right);
  if (kind == NodeKind::lines) return by_alignment(left, right);
  if (!same_size) found(DifferenceKind::length, elements(lefts.size()), elements(rights.size()));
  if (is_done()) return;
  if (treatment.array == ArrayPolicy::set) return as_set(left, right);
  if (treatment.array == ArrayPolicy::by_key) return by_key(left, right, *treatment.key);
  same_size ? by_position(left, right) : by_alignment(left, right);
}

// Of a pair of which one side is missing that is reported, else what differs within.
void TreeDiffer::compare_pair(Siblings left, Siblings right, Alignment::Pair pair) {
  const bool has_left = pair.left != Alignment::kNone;
  const bool has_right = pair.right != Alignment::kNone;
  if (has_left && has_right &&
      are_plainly_equal(left.children[pair.left], right.children[pair.right]))
    return;
  const Siblings& shown = has_left ? left : right;
  const std::uint32_t at = has_left ? pair.left : pair.right;
  const Index child = shown.children[at];
  const bool in_markup = tree(shown.which)[shown.parent].kind == NodeKind::element;
  const auto compare = [&](const Treatment& treatment) {
    if (treatment.is_ignored) return;
    if (has_left && has_right)
      values(child, right.children[pair.right], treatment);
    else
      found_alone(shown.which, child);
  };
  if (in_markup) {
    const Within within(*this, shown.which, shown.parent, child);
    compare(within.treatment());
  } else {
    const Within within(*this, shown.which, shown.parent, child, at);
    compare(within.treatment());
  }
}

// What differs element by element; unless the same elements stand in another order.
void TreeDiffer::by_position(Siblings left, Siblings right) {
  Scratch<std::uint32_t> differing(differing_);
  const std::size_t mark = list_->size();
  const std::uint64_t found_before = found_;
  for (std::uint32_t i = 0; i < left.children.size() && !is_done(); ++i) {
    const std::uint64_t before = found_;
    compare_pair(left, right, {i, i});
    if (found_ != before) differing.add(i);
  }
  if (probing_ || differing.size() < 2 || !is_reordered(left, right, differing)) return;
  list_->cut_to(mark);
  found_ = found_before;
  found(DifferenceKind::order, written(Which::left, left.parent, left_text_),
        written(Which::right, right.parent, right_text_));
}

bool TreeDiffer::is_reordered(Siblings left, Siblings right, Scratch<std::uint32_t>& differing) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (const std::uint32_t at : differing) {
    lefts.add({hash_child(Which::left, left.parent, left.children[at], at), 0});
    rights.add({hash_child(Which::right, right.parent, right.children[at], at), 0});
  }
  std::sort(lefts.begin(), lefts.end());
  std::sort(rights.begin(), rights.end());
  return std::equal(lefts.begin(), lefts.end(), rights.begin(), rights.end(),
                    [](const Keyed& a, const Keyed& b) { return a.key == b.key; });
}

void TreeDiffer::add_items(Siblings siblings, std::vector<Alignment::Item>& items) {
  const Tree& tree = this->tree(siblings.which);
  const bool in_markup = tree[siblings.parent].kind == NodeKind::element;
  std::uint32_t index = 0;
  for (const Index child : siblings.children) {
    Alignment::Item item;
    item.hash = hash_child(siblings.which, siblings.parent, child, index++);
    if (in_markup) item.name = std::hash<std::string_view>{}(tree[child].name);
    items.push_back(item);
  }
}

// Of those between the equal ends: the hashes of their children.
void TreeDiffer::add_traits(Siblings siblings, Alignment::Ends ends,
                            std::vector<Alignment::Item>& items) {
  const Tree& tree = this->tree(siblings.which);
  auto& traits = alignment_.traits();
  for (std::size_t i = ends.front; i + ends.back < items.size(); ++i) {
    const Index parent = siblings.children[i];
    items[i].from = static_cast<std::uint32_t>(traits.size());
    std::size_t index = 0;
    for (Index at = tree.first_child(parent); at < tree[parent].end; at = tree.next(at))
      traits.push_back(hash_child(siblings.which, parent, at, index++));
    items[i].to = static_cast<std::uint32_t>(traits.size());
    std::sort(traits.begin() + items[i].from, traits.end());
  }
}

void TreeDiffer::by_alignment(Siblings left, Siblings right) {
  alignment_.clear();
  add_items(left, alignment_.left());
  add_items(right, alignment_.right());
  const Alignment::Ends ends = alignment_.ends();
  if (alignment_.wants_traits(ends)) {
    add_traits(left, ends, alignment_.left());
    add_traits(right, ends, alignment_.right());
  }
  Scratch<Alignment::Pair> pairs(pairs_);
  for (const Alignment::Pair& pair : alignment_.pair(ends)) pairs.add(pair);
  work_ += alignment_.cells();
  const std::size_t count = pairs.size();
  for (std::size_t i = 0; i < count && !is_done(); ++i) compare_pair(left, right, pairs[i]);
}

bool TreeDiffer::are_equal(Siblings left, Siblings right, Alignment::Pair pair) {
  const bool was_probing = probing_;
  const std::uint64_t before = found_;
  probing_ = true;
  found_ = 0;
  compare_pair(left, right, pair);
  const bool equal = found_ == 0;
  probing_ = was_probing;
  found_ = before;
  return equal;
}

// Each with an equal one. Elements whose hashes agree are looked at, because numbers within a
// tolerance have one hash.
void TreeDiffer::as_set(Siblings left, Siblings right) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (std::uint32_t i = 0; i < left.children.size(); ++i)
    lefts.add({hash_child(Which::left, left.parent, left.children[i], i), i});
  for (std::uint32_t i = 0; i < right.children.size(); ++i)
    rights.add({hash_child(Which::right, right.parent, right.children[i], i), i});
  std::sort(rights.begin(), rights.end());
  Scratch<std::uint32_t> taken(differing_);  // 1: the one on the right has its pair
  for (std::size_t i = 0; i < rights.size(); ++i) taken.add(0);
  const std::size_t count = lefts.size();
  for (std::uint32_t i = 0; i < count && !is_done(); ++i) {
    std::uint32_t match = Alignment::kNone;
    const auto first = std::lower_bound(rights.begin(), rights.end(), Keyed{lefts[i].key, 0});
    for (auto at = static_cast<std::size_t>(first - rights.begin());
         at < rights.size() && rights[at].key == lefts[i].key; ++at) {
      ++work_;
      if (taken[at] != 0 || !are_equal(left, right, {i, rights[at].at})) continue;
      taken[at] = 1;
      match = rights[at].at;
      break;
    }
    compare_pair(left, right, {i, match});
  }
  for (std::size_t at = 0; at < rights.size(); ++at) {
    if (taken[at] != 0 || is_done()) continue;
    compare_pair(left, right, {Alignment::kNone, rights[at].at});
  }
}

std::uint64_t TreeDiffer::hash_of_key(Which which, Index at,
                                      const std::vector<JsonStep>& key) const {
  const Tree& tree = this->tree(which);
  for (const JsonStep& step : key) {
    const bool wants_name = step.kind == JsonStep::Kind::name;
    if (tree[at].kind != (wants_name ? NodeKind::object : NodeKind::array)) return kNoKey;
    const std::int64_t index = step.index < 0 ? step.index + tree[at].children : step.index;
    std::int64_t number = 0;
    Index child = tree.first_child(at);
    while (child < tree[at].end && (wants_name ? tree[child].name != step.name : number++ != index))
      child = tree.next(child);
    if (child >= tree[at].end) return kNoKey;
    at = child;
  }
  const Node& node = tree[at];
  const auto kind = static_cast<std::uint64_t>(node.kind) + 1;
  const std::uint64_t hash = node.kind == NodeKind::number
                                 ? hash_of_number(node.text)
                                 : std::hash<std::string_view>{}(node.text);
  return hash * 31 + kind;
}

void TreeDiffer::by_key(Siblings left, Siblings right, const std::vector<JsonStep>& key) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (std::uint32_t i = 0; i < left.children.size(); ++i)
    lefts.add({hash_of_key(Which::left, left.children[i], key), i});
  for (std::uint32_t i = 0; i < right.children.size(); ++i)
    rights.add({hash_of_key(Which::right, right.children[i], key), i});
  pair_up(left, right, lefts, rights);
}

// Of one key the first with the first, the second with the second; reported as the left ones
// stand, then what the right has alone.
void TreeDiffer::pair_up(Siblings left, Siblings right, Scratch<Keyed>& left_keys,
                         Scratch<Keyed>& right_keys) {
  std::sort(left_keys.begin(), left_keys.end());
  std::sort(right_keys.begin(), right_keys.end());
  Scratch<Alignment::Pair> pairs(pairs_);
  std::size_t l = 0;
  std::size_t r = 0;
  while (l < left_keys.size() || r < right_keys.size()) {
    const bool has_left =
        l < left_keys.size() && (r == right_keys.size() || left_keys[l].key <= right_keys[r].key);
    const bool has_right =
        r < right_keys.size() && (l == left_keys.size() || right_keys[r].key <= left_keys[l].key);
    pairs.add({has_left ? left_keys[l++].at : Alignment::kNone,
               has_right ? right_keys[r++].at : Alignment::kNone});
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.left != b.left ? a.left < b.left : a.right < b.right;
  });
  const std::size_t count = pairs.size();
  for (std::size_t i = 0; i < count && !is_done(); ++i) compare_pair(left, right, pairs[i]);
}

}  // namespace segue::compare
