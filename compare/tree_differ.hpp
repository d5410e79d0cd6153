#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compare/alignment.hpp"
#include "compare/difference_list.hpp"
#include "compare/hidden_values.hpp"
#include "compare/path_rules.hpp"
#include "compare/place.hpp"
#include "compare/tree.hpp"

namespace segue::compare {

// Finds what differs between two trees of one kind (docs/comparing.md says how). The order of an
// object's members and of an element's attributes never counts. One thread; keeps its memory.
class TreeDiffer {
 public:
  // Nodes looked at, again ones included, and their text in spans of 64 bytes: what a pair may cost
  // at most.
  static constexpr std::uint64_t kMostWork = 20'000'000;

  struct Side {
    const Tree& tree;
    HiddenValues hidden;
  };
  // How a comparison ended; anything but `whole` is early.
  enum class End : std::uint8_t { whole, too_large, too_many_differences, stopped };

  // `rules` must outlive the differ; they apply to JSON alone.
  TreeDiffer(PathRules& rules, std::stop_token stop) : rules_(rules), stop_(std::move(stop)) {}

  End compare(const Side& left, const Side& right, DifferenceList& list);
  // Whether the whole document was hidden by redaction.
  bool is_root_hidden() const noexcept { return root_hidden_; }
  std::size_t held() const noexcept;  // bytes of memory

 private:
  using Index = Tree::Index;
  enum class Which : std::uint8_t { left, right };

  // Goes into one child while it lives.
  class Within {
   public:
    // A member, an attribute, or an element of markup.
    Within(TreeDiffer& differ, Which side, Index parent, Index child);
    // An element of an array, or a line.
    Within(TreeDiffer& differ, Which side, Index parent, Index child, std::size_t index);
    ~Within();
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;
    const Treatment& treatment() const noexcept { return treatment_; }

   private:
    TreeDiffer& differ_;
    std::size_t from_;
    std::size_t to_;
    Treatment treatment_;
  };
  // Gives what was added to a vector back when it ends. Of two on one vector only the younger may
  // be used.
  template <class T>
  class Scratch {
   public:
    explicit Scratch(std::vector<T>& values) : values_(values), begin_(values.size()) {}
    ~Scratch() { values_.resize(begin_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    void add(T value) { values_.push_back(value); }
    std::size_t size() const noexcept { return values_.size() - begin_; }
    T& operator[](std::size_t at) { return values_[begin_ + at]; }
    auto begin() { return values_.begin() + static_cast<std::ptrdiff_t>(begin_); }
    auto end() { return values_.end(); }

   private:
    std::vector<T>& values_;
    std::size_t begin_;
  };
  struct Keyed {
    std::uint64_t key;
    std::uint32_t at;  // which one
    bool is_taken = false;
    bool operator<(const Keyed& other) const noexcept {
      return key != other.key ? key < other.key : at < other.at;
    }
  };
  using Indexes = Scratch<Index>;
  using Pairs = Scratch<Alignment::Pair>;

  const Tree& tree(Which which) const noexcept { return which == Which::left ? *left_ : *right_; }
  const HiddenValues& hidden(Which which) const noexcept {
    return which == Which::left ? left_hidden_ : right_hidden_;
  }
  bool is_over() const noexcept { return end_ != End::whole; }
  bool is_done() const noexcept { return is_over() || (probing_ && found_ > 0); }
  bool any_hidden() const noexcept { return left_hidden_.any() || right_hidden_.any(); }

  void spend(std::uint64_t work) noexcept {
    work_ += work;
    if (work_ >= look_at_) look();
  }
  void spend_text(std::string_view text) noexcept { spend(1 + text.size() / kBytesOfNode); }
  void spend_matching(const Treatment& treatment, std::string_view text) noexcept {
    spend(treatment.patterns * (1 + text.size() / kMatchedBytesOfNode));
  }
  void look() noexcept;

  void values(Index l, Index r, const Treatment& treatment);
  void numbers(const Node& l, const Node& r, const Treatment& treatment);
  void texts(const Node& l, const Node& r, const Treatment& treatment);
  void members(Index l, Index r);
  void members_by_name(Index l_parent, Index l, Index r_parent, Index r);
  void member(Index l_parent, Index l, Index r);
  void attributes(Index l, Index r);
  bool are_plainly_equal(Index l, Index r) noexcept;
  bool is_hidden(const Node& node, Which which) const noexcept;

  // Of tree_differ_sequences.cpp. Children are named by where they stand among their siblings.
  struct Siblings {
    Which which;
    Index parent;
    Indexes& children;
  };
  void sequence(Index l, Index r, const Treatment& treatment);
  void by_position(Siblings left, Siblings right);
  void by_alignment(Siblings left, Siblings right);
  void as_set(Siblings left, Siblings right);
  void by_key(Siblings left, Siblings right, const std::vector<recorder::JsonStep>& key);
  // Gives each of the left, as far as there are, the first on the right that has the same key, is
  // not taken and is `equal`; fills `pairs` in the order of the left, then of what the right has
  // alone. Whether none is alone. `until`: whether to go on when one is.
  enum class Until : std::uint8_t { end, one_is_alone };
  template <class Equal>
  bool match(Scratch<Keyed>& lefts, Scratch<Keyed>& rights, Pairs& pairs, Until until, Equal equal);
  bool match_equal(Siblings left, Siblings right, Scratch<Keyed>& lefts, Scratch<Keyed>& rights,
                   Pairs& pairs, Until until);
  void compare_pair(Siblings left, Siblings right, Alignment::Pair pair);
  void gather(Siblings siblings) const;
  bool names_agree(Siblings left, Siblings right) const noexcept;
  bool is_reordered(Siblings left, Siblings right, Scratch<std::uint32_t>& differing);
  bool are_equal(Siblings left, Siblings right, Alignment::Pair pair);
  void add_items(Siblings siblings, std::vector<Alignment::Item>& items);
  void add_traits(Siblings siblings, Alignment::Ends ends, std::vector<Alignment::Item>& items);
  Index key_of(Which which, Index at, const std::vector<recorder::JsonStep>& key);
  std::uint64_t hash_of_key(Which which, Index key_at) const;
  bool same_key(Index l, Index r) const noexcept;

  // Of tree_differ_hash.cpp: equal for what compares as equal.
  std::uint64_t hash(Which which, Index at, const Treatment& treatment);
  std::uint64_t hash_child(Which which, Index parent, Index child, std::size_t index);
  std::uint64_t hash_children(Which which, Index at, const Treatment& treatment);
  bool may_ignore(const Treatment& treatment, std::string_view text);

  // Counts a difference here; whether it is to be listed, under path_ and field_.
  bool is_listed(DifferenceKind kind);
  void list(DifferenceKind kind, std::string_view left, std::string_view right);
  void found(DifferenceKind kind, std::string_view left, std::string_view right);
  void found_alone(Which which, Index at);
  void hide();
  std::string_view written(Which which, Index at, std::string& room) const;

  static constexpr std::size_t kBytesOfNode = 64;         // of text, that cost what a node does
  static constexpr std::size_t kMatchedBytesOfNode = 16;  // by a pattern
  static constexpr std::uint64_t kWorkBetweenLooks = 4'096;

  PathRules& rules_;
  std::stop_token stop_;
  const Tree* left_ = nullptr;
  const Tree* right_ = nullptr;
  HiddenValues left_hidden_;
  HiddenValues right_hidden_;
  DifferenceList* list_ = nullptr;
  NodeKind root_ = NodeKind::null;
  bool root_hidden_ = false;
  bool has_rules_ = false;
  bool probing_ = false;     // only whether anything differs
  std::uint64_t found_ = 0;  // differences, listed or not
  std::uint64_t work_ = 0;
  std::uint64_t look_at_ = 0;  // work after which the limit and the stop are looked at
  End end_ = End::whole;

  Place place_;
  std::vector<PathRules::State> states_;
  std::size_t states_from_ = 0;  // those of the value that is being compared
  std::size_t states_to_ = 0;

  std::vector<Index> left_indexes_;
  std::vector<Index> right_indexes_;
  std::vector<Keyed> left_keys_;
  std::vector<Keyed> right_keys_;
  std::vector<std::uint32_t> differing_;
  std::vector<Alignment::Pair> pairs_;
  Alignment alignment_;
  std::string path_;
  std::string field_;
  std::string left_text_;
  std::string right_text_;
};

template <class Equal>
bool TreeDiffer::match(Scratch<Keyed>& lefts, Scratch<Keyed>& rights, Pairs& pairs, Until until,
                       Equal equal) {
  std::sort(lefts.begin(), lefts.end());
  std::sort(rights.begin(), rights.end());
  const std::size_t left_count = lefts.size();
  const std::size_t right_count = rights.size();
  bool none_alone = left_count == right_count;
  std::size_t first = 0;  // on the right that may be had
  for (std::size_t l = 0; l < left_count && !is_over(); ++l) {
    const Keyed left = lefts[l];
    while (first < right_count && (rights[first].is_taken || rights[first].key < left.key)) ++first;
    std::size_t r = first;
    for (; r < right_count && rights[r].key == left.key && !is_over(); ++r) {
      spend(1);
      if (!rights[r].is_taken && equal(left.at, rights[r].at)) break;
    }
    const bool has_right = r < right_count && rights[r].key == left.key;
    if (has_right) rights[r].is_taken = true;
    none_alone &= has_right;
    if (!none_alone && until == Until::one_is_alone) return false;
    pairs.add({left.at, has_right ? rights[r].at : Alignment::kNone});
  }
  for (std::size_t r = 0; r < right_count; ++r)
    if (!rights[r].is_taken) pairs.add({Alignment::kNone, rights[r].at});
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.left != b.left ? a.left < b.left : a.right < b.right;
  });
  return none_alone && !is_over();
}

}  // namespace segue::compare
