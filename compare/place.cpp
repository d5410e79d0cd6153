#include "compare/place.hpp"

#include <algorithm>
#include <string_view>

#include "compare/shape.hpp"

namespace segue::compare {
namespace {

constexpr std::size_t kMostSiblings = 100'000;  // that are counted, so that a path stays cheap

bool is_plain(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (static_cast<unsigned char>(c) & 0x80U) != 0;
  });
}

void write_name(std::string_view name, std::string& out) {
  if (is_plain(name)) {
    out += '.';
    out += name;
    return;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out += "['";
  for (const char c : name) {
    if (c == '\'' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {  // no terminal is to obey a name
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += "']";
}

// Which of its name `child` is among the children of `parent`, from 1; and how many there are.
struct Ordinal {
  std::size_t number = 1;
  std::size_t of = 1;
  std::uint64_t seen = 0;
};
Ordinal ordinal_of(const Tree& tree, Tree::Index parent, Tree::Index child) {
  Ordinal ordinal{0, 0, 0};
  const Node& wanted = tree[child];
  for (Tree::Index at = tree.first_child(parent); at < tree[parent].end; at = tree.next(at)) {
    if (tree[at].kind != NodeKind::attribute && tree[at].name == wanted.name) ++ordinal.of;
    if (at == child) ordinal.number = ordinal.of;
    if (++ordinal.seen > kMostSiblings && ordinal.number > 0) break;
  }
  return ordinal;
}

}  // namespace

std::uint64_t Place::write_member(const Step& step, std::string& out) {
  const Ordinal ordinal = ordinal_of(*step.tree, step.parent, step.child);
  write_name((*step.tree)[step.child].name, out);
  if (ordinal.number > 1) out += '#' + std::to_string(ordinal.number);
  return ordinal.seen;
}

std::uint64_t Place::write_element(const Step& step, std::string& out) {
  const Ordinal ordinal = ordinal_of(*step.tree, step.parent, step.child);
  out += '/';
  out += (*step.tree)[step.child].name;
  if (ordinal.of > 1) out += '[' + std::to_string(ordinal.number) + ']';
  return ordinal.seen;
}

std::uint64_t Place::write_path(NodeKind root, std::string& out) const {
  std::uint64_t seen = 0;
  out.clear();
  if (root != NodeKind::element && root != NodeKind::lines) out += '$';
  for (const Step& step : steps_) {
    const Node& child = (*step.tree)[step.child];
    const NodeKind parent = (*step.tree)[step.parent].kind;
    if (parent == NodeKind::lines) {
      out += "line " + std::to_string(step.index + 1);
    } else if (parent == NodeKind::array) {
      out += '[' + std::to_string(step.index) + ']';
    } else if (child.kind == NodeKind::element) {
      seen += write_element(step, out);
    } else if (child.kind == NodeKind::attribute) {
      out += "/@";
      out += child.name;
    } else if (child.kind != NodeKind::text) {
      seen += write_member(step, out);
    }
  }
  return seen;
}

void Place::write_field(NodeKind root, std::string& out) const {
  out.clear();
  if (root != NodeKind::element && root != NodeKind::lines) out += '$';
  for (const Step& step : steps_) {
    const Node& child = (*step.tree)[step.child];
    const NodeKind parent = (*step.tree)[step.parent].kind;
    if (parent == NodeKind::lines) {
      out += "line [*]";
    } else if (parent == NodeKind::array) {
      out += "[*]";
    } else if (child.kind == NodeKind::element || child.kind == NodeKind::attribute) {
      out += child.kind == NodeKind::attribute ? "/@" : "/";
      out += child.name;
    } else if (child.kind != NodeKind::text) {
      if (is_generated_name(child.name))
        out += ".*";
      else
        write_name(child.name, out);
    }
  }
}

}  // namespace segue::compare
