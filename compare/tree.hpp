#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace segue::compare {

// Memory for text that does not stand in a body as it is compared: without its escapes, or with
// blanks folded. Given back all at once; its blocks are kept.
class TextArena {
 public:
  static constexpr std::size_t kBlockBytes = 64 << 10;

  // Room for `bytes`; valid until clear().
  char* take(std::size_t bytes);
  std::string_view keep(std::string_view text);
  void clear() noexcept;
  std::size_t held() const noexcept { return blocks_.size() * kBlockBytes + large_bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::unique_ptr<char[]>> large_;
  std::size_t large_bytes_ = 0;
  std::size_t block_ = 0;  // that is being filled
  std::size_t used_ = 0;   // of it
};

enum class NodeKind : std::uint8_t {
  null,
  boolean,
  number,
  string,
  array,
  object,
  element,  // of XML or HTML; its attributes come first
  attribute,
  text,
  lines,  // of a text, each a `text`
};

struct Node {
  std::string_view name;  // of a member, an element or an attribute
  std::string_view text;  // a number as written, a string without escapes, the text of a text node
  std::string_view written;  // of JSON, as it stands in the body; of containers only its begin
  std::uint32_t end = 0;     // index behind the last descendant
  std::uint32_t children = 0;
  NodeKind kind = NodeKind::null;
};

// A body taken apart: nodes in the order in which they stand, each before its children. The first
// is the root. Texts point into what the tree was made of.
class Tree {
 public:
  static constexpr std::size_t kMostNodes = 1'000'000;
  static constexpr std::size_t kMostDepth = 1'000;

  using Index = std::uint32_t;

  const Node& operator[](Index at) const noexcept { return nodes_[at]; }
  std::size_t size() const noexcept { return nodes_.size(); }
  Index first_child(Index at) const noexcept { return at + 1; }
  Index next(Index at) const noexcept { return nodes_[at].end; }

  void clear() noexcept {
    nodes_.clear();
    texts_.clear();
    source_end_ = nullptr;
  }
  bool is_full() const noexcept { return nodes_.size() >= kMostNodes; }
  Index add(NodeKind kind) {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.end = static_cast<Index>(nodes_.size());
    return node.end - 1;
  }
  Node& edit(Index at) noexcept { return nodes_[at]; }
  // Where the text ends that `written` of a container points into; null: of no JSON.
  void set_source_end(const char* end) noexcept { source_end_ = end; }
  const char* source_end() const noexcept { return source_end_; }
  // All descendants of `at` have been added.
  void close(Index at) noexcept { nodes_[at].end = static_cast<Index>(nodes_.size()); }
  TextArena& texts() noexcept { return texts_; }
  std::size_t held() const noexcept { return nodes_.capacity() * sizeof(Node) + texts_.held(); }

 private:
  std::vector<Node> nodes_;
  TextArena texts_;
  const char* source_end_ = nullptr;
};

// How making a tree of a body went.
enum class TreeMade : std::uint8_t {
  done,
  malformed,
  too_large,  // more than Tree::kMostNodes or kMostDepth, or than a parser may take
};

}  // namespace segue::compare
