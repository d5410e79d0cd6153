#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.hpp"

// A YAML document as a tree in which every key and value knows where it stands. Built on
// yaml-cpp's parser events, because its own tree accepts duplicate keys silently
// (jbeder/yaml-cpp#60, #826) and forgets the positions of keys.
namespace segue::config::yaml {

inline constexpr std::size_t kMaxBytes = 1 << 20;  // of one file
inline constexpr std::size_t kMaxDepth = 32;       // maps and lists within each other
inline constexpr std::size_t kMaxNodes = 100'000;  // of one file

enum class Kind : std::uint8_t {
  null,  // empty, ~ or null
  scalar,
  sequence,
  map,
  broken,  // already reported; readers pass over it
};

struct Entry;

struct Node {
  Kind kind = Kind::null;
  bool quoted = false;  // scalar: 'x', "x" or a block; never a number or a boolean
  std::string text;     // scalar
  Position at;
  std::vector<Node> items;     // sequence
  std::vector<Entry> entries;  // map, in file order, keys unique

  // Null when this is no map or has no such key.
  const Entry* find(std::string_view key) const noexcept;
};

struct Entry {
  std::string key;
  Position key_at;
  Node value;
};

// Types of YAML 1.2's core schema (10.3.2) that a plain scalar can have; `yes` is text.
enum class CoreType : std::uint8_t { text, boolean, integer, real };
CoreType core_type(const Node& scalar) noexcept;

// Reads the one document of `sources[file]`. Duplicate keys, anchors, aliases, merge keys, tags,
// keys that are not text, and a second document are reported and left out of the tree; a syntax
// error or a limit ends the reading. Never throws but for memory. An empty document is a null.
Node read(const Sources& sources, std::uint32_t file, Report& report);

}  // namespace segue::config::yaml
