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
  spend(lefts.size() + rights.size());
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

// What differs element by element; unless the same elements stand in another order. So it is
// found out first which elements differ, and said after that.
void TreeDiffer::by_position(Siblings left, Siblings right) {
  const auto count = static_cast<std::uint32_t>(left.children.size());
  if (probing_ || count < 2) {
    for (std::uint32_t i = 0; i < count && !is_done(); ++i) compare_pair(left, right, {i, i});
    return;
  }
  Scratch<std::uint32_t> differing(differing_);
  for (std::uint32_t i = 0; i < count && !is_over(); ++i)
    if (!are_equal(left, right, {i, i})) differing.add(i);
  if (is_over()) return;
  const std::size_t differing_count = differing.size();
  const bool reordered = differing_count > 1 && is_reordered(left, right, differing);
  if (reordered && is_listed(DifferenceKind::order))
    list(DifferenceKind::order, written(Which::left, left.parent, left_text_),
         written(Which::right, right.parent, right_text_));
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < count && !is_over(); ++i) {
    const bool differs = next < differing_count && differing[next] == i;
    if (differs) ++next;
    // What is equal is looked at again only for what is hidden within.
    if (differs ? !reordered : any_hidden()) compare_pair(left, right, {i, i});
  }
}

bool TreeDiffer::is_reordered(Siblings left, Siblings right, Scratch<std::uint32_t>& differing) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (const std::uint32_t at : differing) {
    lefts.add({hash_child(Which::left, left.parent, left.children[at], at), at});
    rights.add({hash_child(Which::right, right.parent, right.children[at], at), at});
  }
  Pairs pairs(pairs_);
  return match_equal(left, right, lefts, rights, pairs, Until::one_is_alone);
}

// Elements whose hashes agree are looked at, because numbers within a tolerance have one hash.
bool TreeDiffer::match_equal(Siblings left, Siblings right, Scratch<Keyed>& lefts,
                             Scratch<Keyed>& rights, Pairs& pairs, Until until) {
  return match(lefts, rights, pairs, until,
               [&](std::uint32_t l, std::uint32_t r) { return are_equal(left, right, {l, r}); });
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
  spend(alignment_.work());
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

// Each with an equal one.
void TreeDiffer::as_set(Siblings left, Siblings right) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (std::uint32_t i = 0; i < left.children.size(); ++i)
    lefts.add({hash_child(Which::left, left.parent, left.children[i], i), i});
  for (std::uint32_t i = 0; i < right.children.size(); ++i)
    rights.add({hash_child(Which::right, right.parent, right.children[i], i), i});
  Pairs pairs(pairs_);
  const Until until = probing_ ? Until::one_is_alone : Until::end;
  const bool none_alone = match_equal(left, right, lefts, rights, pairs, until);
  if (probing_) {
    if (!none_alone) ++found_;
    return;
  }
  const std::size_t count = pairs.size();
  for (std::size_t i = 0; i < count && !is_over(); ++i) {
    const Alignment::Pair pair = pairs[i];
    const bool is_alone = pair.left == Alignment::kNone || pair.right == Alignment::kNone;
    // What is equal is looked at again only for what is hidden within.
    if (is_alone || any_hidden()) compare_pair(left, right, pair);
  }
}

// Where the key of the element `at` stands; 0: it has none.
Tree::Index TreeDiffer::key_of(Which which, Index at, const std::vector<JsonStep>& key) {
  const Tree& tree = this->tree(which);
  for (const JsonStep& step : key) {
    const bool wants_name = step.kind == JsonStep::Kind::name;
    if (tree[at].kind != (wants_name ? NodeKind::object : NodeKind::array)) return 0;
    const std::int64_t index = step.index < 0 ? step.index + tree[at].children : step.index;
    std::int64_t number = 0;
    Index child = tree.first_child(at);
    for (; child < tree[at].end; child = tree.next(child)) {
      spend(1);
      if (wants_name ? tree[child].name == step.name : number++ == index) break;
    }
    if (child >= tree[at].end) return 0;
    at = child;
  }
  spend_text(tree[at].text);
  return at;
}

std::uint64_t TreeDiffer::hash_of_key(Which which, Index key_at) const {
  if (key_at == 0) return kNoKey;
  const Node& node = tree(which)[key_at];
  const auto kind = static_cast<std::uint64_t>(node.kind) + 1;
  const std::uint64_t hash = node.kind == NodeKind::number
                                 ? hash_of_number(node.text)
                                 : std::hash<std::string_view>{}(node.text);
  return hash * 31 + kind;
}

bool TreeDiffer::same_key(Index l, Index r) const noexcept {
  if (l == 0 || r == 0) return l == r;
  const Node& left = (*left_)[l];
  const Node& right = (*right_)[r];
  if (left.kind != right.kind) return false;
  return left.kind == NodeKind::number ? same_number(left.text, right.text)
                                       : left.text == right.text;
}

// Of one key the first with the first, the second with the second.
void TreeDiffer::by_key(Siblings left, Siblings right, const std::vector<JsonStep>& key) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  for (std::uint32_t i = 0; i < left.children.size(); ++i)
    lefts.add({hash_of_key(Which::left, key_of(Which::left, left.children[i], key)), i});
  for (std::uint32_t i = 0; i < right.children.size(); ++i)
    rights.add({hash_of_key(Which::right, key_of(Which::right, right.children[i], key)), i});
  Pairs pairs(pairs_);
  match(lefts, rights, pairs, Until::end, [&](std::uint32_t l, std::uint32_t r) {
    return same_key(key_of(Which::left, left.children[l], key),
                    key_of(Which::right, right.children[r], key));
  });
  const std::size_t count = pairs.size();
  for (std::size_t i = 0; i < count && !is_done(); ++i) compare_pair(left, right, pairs[i]);
}

}  // namespace segue::compare
