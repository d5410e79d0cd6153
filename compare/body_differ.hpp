#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "compare/difference_list.hpp"
#include "compare/json_tree.hpp"
#include "compare/markup_tree.hpp"
#include "compare/path_rules.hpp"
#include "compare/tree.hpp"
#include "compare/tree_differ.hpp"
#include "recorder/exchange.pb.h"

namespace segue::compare {

// Compares the bodies of two responses by the media type of the left one, content codings undone.
// One thread; keeps its memory.
class BodyDiffer {
 public:
  // Of each side, and of what compares them, from one pair to the next. More is given back.
  static constexpr std::size_t kKeptBytes = 1 << 20;

  // `rules` must outlive the differ.
  BodyDiffer(PathRules& rules, std::stop_token stop) : rules_(rules), stop_(std::move(stop)) {
    differ_.emplace(rules_, stop_);
  }

  // Why they could not be compared, static text; empty: they could.
  std::string_view compare(const v1::Exchange& left, const v1::Exchange& right,
                           DifferenceList& list);
  // Bytes of memory, about.
  std::size_t held() const noexcept { return left_.held() + right_.held() + differ_->held(); }

 private:
  // How a body is taken apart.
  enum class Form : std::uint8_t { json, json_lines, xml, html, lines, bytes };
  // One side of the comparison.
  struct Side {
    std::string decoded;
    std::string_view content;
    HiddenValues hidden;
    JsonReader json;
    HtmlReader html;
    Tree tree;
    TreeMade made = TreeMade::done;
    std::size_t held() const noexcept {
      return decoded.capacity() + json.held() + html.held() + tree.held();
    }
  };

  static std::string_view take(const v1::Exchange& exchange, Side& side);
  static Form form_of(const v1::Body& body, std::string_view content);
  TreeMade make_tree(Form form, Side& side) const;
  static std::string problem_of(Form form, const Side& side);
  std::string_view compare_bodies(const v1::Exchange& left, const v1::Exchange& right,
                                  DifferenceList& list);
  std::string_view compare_contents(const v1::Exchange& left, DifferenceList& list);
  std::string_view compare_trees(DifferenceList& list);
  std::string_view compare_malformed(Form form, DifferenceList& list);
  void compare_bytes(DifferenceList& list) const;
  static bool compare_digests(const v1::Exchange& left, const v1::Exchange& right,
                              DifferenceList& list);
  static void list_dropped(const v1::Exchange& exchange, DifferenceList& list);

  Side left_;
  Side right_;
  PathRules& rules_;
  std::stop_token stop_;
  std::optional<TreeDiffer> differ_;  // always there
};

}  // namespace segue::compare
