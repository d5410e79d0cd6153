#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "compare/folded_text.hpp"
#include "compare/markup_tree.hpp"

namespace segue::compare {
namespace {

// As a fragment, so that what stands outside the root is seen; with blanks, so that text on both
// sides of a comment is joined as it stands.
constexpr unsigned kParse = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                            pugi::parse_wconv_attribute | pugi::parse_fragment |
                            pugi::parse_ws_pcdata;

// The parser takes a NUL for the end. UTF-16 has one in every other character of plain text.
bool holds_nul(std::string_view body) noexcept {
  const bool is_wide = body.starts_with("\xff\xfe") || body.starts_with("\xfe\xff") ||
                       body.starts_with(std::string_view("<\0", 2)) ||
                       body.starts_with(std::string_view("\0<", 2));
  if (!is_wide) return body.find('\0') != std::string_view::npos;
  for (std::size_t at = 0; at + 1 < body.size(); at += 2)
    if (body[at] == '\0' && body[at + 1] == '\0') return true;
  return false;
}

bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

// One element, and nothing but blanks around it (XML 1.0, 2.1).
bool is_document(const pugi::xml_document& document) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::size_t elements = 0;
  for (const pugi::xml_node& child : document.children()) {
    if (child.type() == pugi::node_element) ++elements;
    if (child.type() == pugi::node_cdata) return false;
    if (is_text(child) &&
        std::string_view(child.value()).find_first_not_of(kBlanks) != std::string_view::npos)
      return false;
  }
  return elements == 1;
}

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
  std::string joined;
  for (pugi::xml_node child = parent.first_child(); child; child = child.next_sibling()) {
    if (child.type() == pugi::node_element) {
      const TreeMade made = add_element(child, depth + 1, tree);
      if (made != TreeMade::done) return made;
      ++count;
    } else if (is_text(child)) {
      std::string_view whole = child.value();
      if (is_text(child.next_sibling())) {
        joined = whole;
        for (; is_text(child.next_sibling()); child = child.next_sibling())
          joined += child.next_sibling().value();
        whole = joined;
      }
      const std::string_view text = fold_blanks(whole, tree.texts());
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
  if (holds_nul(body)) return TreeMade::malformed;
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size(), kParse);
  if (parsed.status == pugi::status_out_of_memory) return TreeMade::too_large;
  if (!parsed || !is_document(document)) return TreeMade::malformed;
  const Tree::Index root = tree.add(NodeKind::element);
  const TreeMade made = add_children(document, 0, tree, root);
  tree.close(root);
  return made;
}

}  // namespace segue::compare
