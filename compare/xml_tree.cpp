#include <algorithm>
#include <pugixml.hpp>

#include "compare/folded_text.hpp"
#include "compare/markup_tree.hpp"

namespace segue::compare {
namespace {

constexpr unsigned kParse =
    pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_wconv_attribute;

TreeMade add_children(const pugi::xml_node& parent, std::size_t depth, Tree& tree,
                      Tree::Index parent_at);

TreeMade add_element(const pugi::xml_node& element, std::size_t depth, Tree& tree) {
  if (depth > Tree::kMostDepth || tree.is_full()) return TreeMade::too_large;
  const Tree::Index at = tree.add(NodeKind::element);
  tree.edit(at).name = tree.texts().keep(element.name());
  for (const pugi::xml_attribute& attribute : element.attributes()) {
    if (tree.is_full()) return TreeMade::too_large;
    const Tree::Index added = tree.add(NodeKind::attribute);
    tree.edit(added).name = tree.texts().keep(attribute.name());
    tree.edit(added).text = tree.texts().keep(attribute.value());
  }
  const TreeMade made = add_children(element, depth, tree, at);
  tree.close(at);
  return made;
}

TreeMade add_children(const pugi::xml_node& parent, std::size_t depth, Tree& tree,
                      Tree::Index parent_at) {
  std::uint32_t count = 0;
  for (const pugi::xml_node& child : parent.children()) {
    if (child.type() == pugi::node_element) {
      const TreeMade made = add_element(child, depth + 1, tree);
      if (made != TreeMade::done) return made;
      ++count;
    } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      const std::string_view text = fold_blanks(child.value(), tree.texts());
      if (text.empty()) continue;
      if (tree.is_full()) return TreeMade::too_large;
      tree.edit(tree.add(NodeKind::text)).text = text;
      ++count;
    }
  }
  tree.edit(parent_at).children = count;
  return TreeMade::done;
}

}  // namespace

TreeMade read_xml(std::string_view body, Tree& tree) {
  tree.clear();
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size(), kParse);
  if (parsed.status == pugi::status_out_of_memory) return TreeMade::too_large;
  if (!parsed || !document.document_element()) return TreeMade::malformed;
  const Tree::Index root = tree.add(NodeKind::element);
  const TreeMade made = add_children(document, 0, tree, root);
  tree.close(root);
  return made;
}

}  // namespace segue::compare
