#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "compare/difference_list.hpp"
#include "compare/json_tree.hpp"
#include "compare/markup_tree.hpp"
#include "compare/path_rules.hpp"
#include "compare/tree.hpp"
#include "compare/tree_differ.hpp"
#include "recorder/exchange.pb.h"

namespace segue::compare {

// Compares the bodies of two responses by the media type of the left one, content codings undone.
// One thread; keeps its memory, but of bodies over kKeptBytes.
class BodyDiffer {
 public:
  static constexpr std::size_t kKeptBytes = 1 << 20;

  // `rules` must outlive the differ.
  BodyDiffer(PathRules& rules, const std::stop_token& stop) : differ_(rules, stop) {}

  // Why they could not be compared, static text; empty: they could.
  std::string_view compare(const v1::Exchange& left, const v1::Exchange& right,
                           DifferenceList& list);

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
  };

  static std::string_view take(const v1::Exchange& exchange, Side& side);
  static Form form_of(const v1::Body& body, std::string_view content);
  static TreeMade make_tree(Form form, Side& side);
  static std::string problem_of(Form form, const Side& side);
  std::string_view compare_contents(const v1::Exchange& left, DifferenceList& list);
  std::string_view compare_trees(DifferenceList& list);
  std::string_view compare_malformed(Form form, DifferenceList& list);
  void compare_bytes(DifferenceList& list) const;
  static void list_dropped(const v1::Exchange& exchange, DifferenceList& list);

  Side left_;
  Side right_;
  TreeDiffer differ_;
};

}  // namespace segue::compare
