#include "compare/tree_differ.hpp"

#include <algorithm>
#include <functional>

#include "compare/decimal.hpp"
#include "compare/shape.hpp"
#include "recorder/redaction/json_scan.hpp"

namespace segue::compare {
namespace {

// Of a container that is shown: enough to be cut by the list.
constexpr std::size_t kMostShown = 2'000;

bool is_container(NodeKind kind) noexcept {
  return kind == NodeKind::array || kind == NodeKind::object;
}

// The texts of a markup element, one behind the other.
void append_texts(const Tree& tree, Tree::Index at, std::string& out) {
  const Tree::Index end = std::min(tree[at].end, at + static_cast<Tree::Index>(kMostShown));
  for (Tree::Index i = at + 1; i < end && out.size() < kMostShown; ++i)
    if (tree[i].kind == NodeKind::text) {
      out += ' ';
      out += tree[i].text;
    }
}

}  // namespace

TreeDiffer::Within::Within(TreeDiffer& differ, Which side, Index parent, Index child)
    : differ_(differ), from_(differ.states_from_), to_(differ.states_to_) {
  const Tree& tree = differ.tree(side);
  differ.place_.enter(tree, parent, child, 0);
  if (!differ.has_rules_) return;
  const std::size_t begin = differ.states_.size();
  treatment_ = differ.rules_.enter_member(differ.states_, from_, to_, tree[child].name);
  differ.states_from_ = begin;
  differ.states_to_ = differ.states_.size();
}

TreeDiffer::Within::Within(TreeDiffer& differ, Which side, Index parent, Index child,
                           std::size_t index)
    : differ_(differ), from_(differ.states_from_), to_(differ.states_to_) {
  const Tree& tree = differ.tree(side);
  differ.place_.enter(tree, parent, child, static_cast<std::uint32_t>(index));
  if (!differ.has_rules_) return;
  const std::size_t begin = differ.states_.size();
  treatment_ =
      differ.rules_.enter_element(differ.states_, from_, to_, index, tree[parent].children);
  differ.states_from_ = begin;
  differ.states_to_ = differ.states_.size();
}

TreeDiffer::Within::~Within() {
  differ_.place_.leave();
  if (!differ_.has_rules_) return;
  differ_.states_.resize(differ_.states_from_);
  differ_.states_from_ = from_;
  differ_.states_to_ = to_;
}

TreeDiffer::End TreeDiffer::compare(const Side& left, const Side& right, DifferenceList& list) {
  left_ = &left.tree;
  right_ = &right.tree;
  left_hidden_ = left.hidden;
  right_hidden_ = right.hidden;
  list_ = &list;
  root_ = left.tree[0].kind;
  root_hidden_ = false;
  probing_ = false;
  found_ = 0;
  work_ = 0;
  look_at_ = 0;
  end_ = End::whole;
  place_.clear();
  states_.clear();
  states_from_ = 0;
  has_rules_ = !rules_.empty() && root_ != NodeKind::element && root_ != NodeKind::lines;
  Treatment treatment;
  if (has_rules_) treatment = rules_.start(states_);
  states_to_ = states_.size();
  if (!treatment.is_ignored) values(0, 0, treatment);
  return end_;
}

std::size_t TreeDiffer::held() const noexcept {
  return alignment_.held() +
         (left_indexes_.capacity() + right_indexes_.capacity()) * sizeof(Index) +
         (left_keys_.capacity() + right_keys_.capacity()) * sizeof(Keyed) +
         pairs_.capacity() * sizeof(Alignment::Pair) +
         differing_.capacity() * sizeof(differing_[0]) + states_.capacity() * sizeof(states_[0]) +
         path_.capacity() + field_.capacity() + left_text_.capacity() + right_text_.capacity();
}

void TreeDiffer::look() noexcept {
  if (work_ > kMostWork)
    end_ = End::too_large;
  else if (stop_.stop_requested())
    end_ = End::stopped;
  look_at_ = std::min(work_ + kWorkBetweenLooks, kMostWork + 1);
}

bool TreeDiffer::is_hidden(const Node& node, Which which) const noexcept {
  switch (node.kind) {
    case NodeKind::string:
    case NodeKind::text:
    case NodeKind::attribute:
      return hidden(which).covers(node.text);
    default:
      return false;
  }
}

void TreeDiffer::values(Index l, Index r, const Treatment& treatment) {
  const Node& left = (*left_)[l];
  const Node& right = (*right_)[r];
  spend_text(left.text);
  spend_text(right.text);
  if (any_hidden() && (is_hidden(left, Which::left) || is_hidden(right, Which::right)))
    return hide();
  if (left.kind != right.kind) {
    if (is_listed(DifferenceKind::type))
      list(DifferenceKind::type, written(Which::left, l, left_text_),
           written(Which::right, r, right_text_));
    return;
  }
  switch (left.kind) {
    case NodeKind::null:
      return;
    case NodeKind::boolean:
      if (left.text != right.text) found(DifferenceKind::value, left.text, right.text);
      return;
    case NodeKind::number:
      return numbers(left, right, treatment);
    case NodeKind::string:
    case NodeKind::text:
    case NodeKind::attribute:
      return texts(left, right, treatment);
    case NodeKind::object:
      return members(l, r);
    case NodeKind::element:
      attributes(l, r);
      return sequence(l, r, treatment);
    case NodeKind::array:
    case NodeKind::lines:
      return sequence(l, r, treatment);
  }
}

void TreeDiffer::numbers(const Node& l, const Node& r, const Treatment& treatment) {
  if (l.text == r.text || same_number(l.text, r.text)) return;
  if (treatment.tolerance > 0 && within(l.text, r.text, treatment.tolerance)) return;
  spend_matching(treatment, l.text);
  if (rules_.matches(treatment, l.text, r.text)) return;
  found(DifferenceKind::value, l.text, r.text);
}

void TreeDiffer::texts(const Node& l, const Node& r, const Treatment& treatment) {
  if (l.text == r.text) return;
  spend_matching(treatment, l.text);
  spend_matching(treatment, r.text);
  if (rules_.matches(treatment, l.text, r.text)) return;
  const bool alike = same_shape(l.text, r.text);
  found(alike ? DifferenceKind::value : DifferenceKind::pattern,
        l.kind == NodeKind::string ? l.written : l.text,
        r.kind == NodeKind::string ? r.written : r.text);
}

// Side by side while the names agree, which they mostly do.
void TreeDiffer::members(Index l, Index r) {
  const Tree& left = *left_;
  const Tree& right = *right_;
  Index a = left.first_child(l);
  Index b = right.first_child(r);
  while (a < left[l].end && b < right[r].end && left[a].name == right[b].name) {
    member(l, a, b);
    if (is_done()) return;
    a = left.next(a);
    b = right.next(b);
  }
  if (a < left[l].end || b < right[r].end) members_by_name(l, a, r, b);
}

void TreeDiffer::attributes(Index l, Index r) {
  const Tree& left = *left_;
  const Tree& right = *right_;
  const auto is_attribute = [](const Tree& tree, Index parent, Index at) {
    return at < tree[parent].end && tree[at].kind == NodeKind::attribute;
  };
  Index a = left.first_child(l);
  Index b = right.first_child(r);
  while (is_attribute(left, l, a) && is_attribute(right, r, b) && left[a].name == right[b].name) {
    member(l, a, b);
    if (is_done()) return;
    a = left.next(a);
    b = right.next(b);
  }
  if (is_attribute(left, l, a) || is_attribute(right, r, b)) members_by_name(l, a, r, b);
}

// Scalars that are written alike, as most are: no rule makes them differ.
bool TreeDiffer::are_plainly_equal(Index l, Index r) noexcept {
  const Node& left = (*left_)[l];
  const Node& right = (*right_)[r];
  spend_text(left.text);
  return left.kind == right.kind && left.end == l + 1 && right.end == r + 1 &&
         left.kind != NodeKind::element && left.text == right.text && !any_hidden();
}

void TreeDiffer::member(Index l_parent, Index l, Index r) {
  if (are_plainly_equal(l, r)) return;
  const Within within(*this, Which::left, l_parent, l);
  if (!within.treatment().is_ignored) values(l, r, within.treatment());
}

// From `l` and `r` on; of one name the first with the first, the second with the second.
void TreeDiffer::members_by_name(Index l_parent, Index l, Index r_parent, Index r) {
  Scratch<Keyed> lefts(left_keys_);
  Scratch<Keyed> rights(right_keys_);
  const auto add = [&](Which which, Index parent, Index from, Scratch<Keyed>& keys) {
    const Tree& tree = this->tree(which);
    const bool of_element = tree[parent].kind == NodeKind::element;
    for (Index at = from; at < tree[parent].end; at = tree.next(at)) {
      if (of_element && tree[at].kind != NodeKind::attribute) break;
      keys.add({std::hash<std::string_view>{}(tree[at].name), at});
      spend_text(tree[at].name);
    }
  };
  add(Which::left, l_parent, l, lefts);
  add(Which::right, r_parent, r, rights);
  Pairs pairs(pairs_);
  match(lefts, rights, pairs, Until::end,
        [this](Index a, Index b) { return (*left_)[a].name == (*right_)[b].name; });
  const std::size_t count = pairs.size();
  for (std::size_t i = 0; i < count && !is_done(); ++i) {
    const Alignment::Pair pair = pairs[i];
    const bool has_left = pair.left != Alignment::kNone;
    if (has_left && pair.right != Alignment::kNone) {
      member(l_parent, pair.left, pair.right);
      continue;
    }
    const Which which = has_left ? Which::left : Which::right;
    const Index at = has_left ? pair.left : pair.right;
    const Within within(*this, which, has_left ? l_parent : r_parent, at);
    if (!within.treatment().is_ignored) found_alone(which, at);
  }
}

bool TreeDiffer::is_listed(DifferenceKind kind) {
  ++found_;
  if (probing_ || is_over()) return false;
  place_.write_field(root_, field_);
  spend(place_.depth() + field_.size() / kMatchedBytesOfNode);
  if (list_->wants(Part::body, field_, kind)) {
    spend(place_.write_path(root_, path_));
    return true;
  }
  if (list_->lacks_a_field()) end_ = End::too_many_differences;
  return false;
}

void TreeDiffer::list(DifferenceKind kind, std::string_view left, std::string_view right) {
  list_->add(Part::body, path_, field_, kind, left, right);
}

void TreeDiffer::found(DifferenceKind kind, std::string_view left, std::string_view right) {
  if (is_listed(kind)) list(kind, left, right);
}

void TreeDiffer::found_alone(Which which, Index at) {
  const bool is_left = which == Which::left;
  const DifferenceKind kind = is_left ? DifferenceKind::missing : DifferenceKind::extra;
  if (!is_listed(kind)) return;
  const std::string_view text = written(which, at, left_text_);
  list(kind, is_left ? text : std::string_view(), is_left ? std::string_view() : text);
}

void TreeDiffer::hide() {
  if (probing_) return;
  if (place_.is_root()) root_hidden_ = true;
  place_.write_field(root_, field_);
  spend(place_.depth() + field_.size() / kMatchedBytesOfNode);
  list_->hide(field_);
}

std::string_view TreeDiffer::written(Which which, Index at, std::string& room) const {
  const Tree& tree = this->tree(which);
  const Node& node = tree[at];
  if (node.kind == NodeKind::element) {
    room = '<';
    room += node.name;
    room += '>';
    append_texts(tree, at, room);
    return room;
  }
  if (node.written.data() == nullptr) return node.text;
  if (!is_container(node.kind)) return node.written;
  const char* const begin = node.written.data();
  const auto left = static_cast<std::size_t>(tree.source_end() - begin);
  const std::string_view rest(begin, std::min(left, kMostShown));
  return rest.substr(0, recorder::json::skip_value(rest, 0));
}

}  // namespace segue::compare
