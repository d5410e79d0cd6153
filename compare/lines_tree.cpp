#include "compare/lines_tree.hpp"

namespace segue::compare {

TreeMade read_lines(std::string_view body, Tree& tree) {
  tree.clear();
  const Tree::Index root = tree.add(NodeKind::lines);
  std::uint32_t count = 0;
  for (;;) {
    if (tree.is_full()) return TreeMade::too_large;
    const std::size_t end = body.find('\n');
    tree.edit(tree.add(NodeKind::text)).text = body.substr(0, end);
    ++count;
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 1);
  }
  tree.edit(root).children = count;
  tree.close(root);
  return TreeMade::done;
}

}  // namespace segue::compare
