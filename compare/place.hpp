#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/tree.hpp"

namespace segue::compare {

// The way from the root of a tree to the value that is being compared, written only when something
// is to be said of it.
//
// Of JSON: $.items[3].id, with names as recorder::JsonPath reads them; the second member of one
// name is `name#2`. Of XML and HTML: /html/body/p[2]/@class, where the number stands when there are
// several of that name, and a text is where its element is. Of text: line 12.
class Place {
 public:
  void clear() noexcept { steps_.clear(); }
  bool is_root() const noexcept { return steps_.empty(); }
  // `index`: of an array's element or a line, from 0.
  void enter(const Tree& tree, Tree::Index parent, Tree::Index child, std::uint32_t index) {
    steps_.push_back({&tree, parent, child, index});
  }
  void leave() noexcept { steps_.pop_back(); }

  std::size_t depth() const noexcept { return steps_.size(); }

  // How many siblings were looked at for their names. `root`: of the whole tree.
  std::uint64_t write_path(NodeKind root, std::string& out) const;
  // What is counted: indexes as [*], names that are keys of data as *, markup without numbers.
  void write_field(NodeKind root, std::string& out) const;

 private:
  struct Step {
    const Tree* tree;
    Tree::Index parent;
    Tree::Index child;
    std::uint32_t index;
  };
  static std::uint64_t write_member(const Step& step, std::string& out);
  static std::uint64_t write_element(const Step& step, std::string& out);

  std::vector<Step> steps_;
};

}  // namespace segue::compare
