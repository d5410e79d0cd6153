#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
  // Nodes looked at, again ones included: what a pair may cost at most. Beyond it the comparison
  // ends early.
  static constexpr std::uint64_t kMostWork = 20'000'000;

  struct Side {
    const Tree& tree;
    HiddenValues hidden;
  };
  enum class End : std::uint8_t { whole, early };

  // `rules` must outlive the differ; they apply to JSON alone.
  explicit TreeDiffer(PathRules& rules) : rules_(rules) {}

  End compare(const Side& left, const Side& right, DifferenceList& list);
  // Whether the whole document was hidden by redaction.
  bool is_root_hidden() const noexcept { return root_hidden_; }

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
    std::uint32_t at;  // among its siblings
    bool operator<(const Keyed& other) const noexcept {
      return key != other.key ? key < other.key : at < other.at;
    }
  };
  using Indexes = Scratch<Index>;

  const Tree& tree(Which which) const noexcept { return which == Which::left ? *left_ : *right_; }
  const HiddenValues& hidden(Which which) const noexcept {
    return which == Which::left ? left_hidden_ : right_hidden_;
  }
  bool is_done() const noexcept {
    return work_ > kMostWork || (probing_ && found_ > 0) || (!probing_ && list_->is_full());
  }

  void values(Index l, Index r, const Treatment& treatment);
  void numbers(const Node& l, const Node& r, const Treatment& treatment);
  void texts(const Node& l, const Node& r, const Treatment& treatment);
  void members(Index l, Index r);
  void members_by_name(Index l_parent, Index l, Index r_parent, Index r);
  void member(Index l_parent, Index l, Index r);
  void attributes(Index l, Index r);
  bool are_plainly_equal(Index l, Index r) const noexcept;
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
  void pair_up(Siblings left, Siblings right, Scratch<Keyed>& left_keys,
               Scratch<Keyed>& right_keys);
  void compare_pair(Siblings left, Siblings right, Alignment::Pair pair);
  void gather(Siblings siblings) const;
  bool names_agree(Siblings left, Siblings right) const noexcept;
  bool is_reordered(Siblings left, Siblings right, Scratch<std::uint32_t>& differing);
  bool are_equal(Siblings left, Siblings right, Alignment::Pair pair);
  void add_items(Siblings siblings, std::vector<Alignment::Item>& items);
  void add_traits(Siblings siblings, Alignment::Ends ends, std::vector<Alignment::Item>& items);
  std::uint64_t hash_of_key(Which which, Index at,
                            const std::vector<recorder::JsonStep>& key) const;

  // Of tree_differ_hash.cpp: equal for what compares as equal.
  std::uint64_t hash(Which which, Index at, const Treatment& treatment);
  std::uint64_t hash_child(Which which, Index parent, Index child, std::size_t index);
  std::uint64_t hash_children(Which which, Index at, const Treatment& treatment);

  void found(DifferenceKind kind, std::string_view left, std::string_view right);
  void found_alone(Which which, Index at);
  void hide();
  std::string_view written(Which which, Index at, std::string& room) const;

  PathRules& rules_;
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

}  // namespace segue::compare
