#include "config/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/files.hpp"
#include "config/load.hpp"
#include "config/units.hpp"
#include "gateway/http1/header_edits.hpp"

namespace segue::config {
namespace {

namespace fs = std::filesystem;
using yaml::Entry;
using yaml::Kind;
using yaml::Node;

// Maps from names to things, which several files may add to.
constexpr std::array<std::string_view, 3> kNamed{"listeners", "backends", "routes"};

std::string where(const Sources& sources, const Position& at) {
  return fmt::format("{}:{}", sources[at.file].path(), at.line);
}

void refuse_second(const Sources& sources, Context& context, const Entry& entry,
                   const Entry& first) {
  context.report.add(
      codes::kDefinedTwice, entry.key_at,
      fmt::format("'{}' is already there, in {}", entry.key, where(sources, first.key_at)),
      "keep one of them");
}

void add_named(const Sources& sources, Context& context, Entry& into, Entry& from) {
  for (Entry& entry : from.value.entries) {
    if (const Entry* first = into.value.find(entry.key))
      refuse_second(sources, context, entry, *first);
    else
      into.value.entries.push_back(std::move(entry));
  }
}

void add_document(const Sources& sources, Context& context, Node& root, Node document) {
  for (Entry& entry : document.entries) {
    const auto known = std::find_if(root.entries.begin(), root.entries.end(),
                                    [&](const Entry& other) { return other.key == entry.key; });
    if (entry.key == "include" || entry.key == "version") {
      context.report.add(codes::kBadInclude, entry.key_at,
                         fmt::format("'{}' belongs into the main file only", entry.key));
    } else if (known == root.entries.end()) {
      root.entries.push_back(std::move(entry));
    } else if (known->value.kind == Kind::sequence && entry.value.kind == Kind::sequence) {
      std::move(entry.value.items.begin(), entry.value.items.end(),
                std::back_inserter(known->value.items));
    } else if (std::find(kNamed.begin(), kNamed.end(), entry.key) != kNamed.end() &&
               known->value.kind == Kind::map && entry.value.kind == Kind::map) {
      add_named(sources, context, *known, entry);
    } else {
      refuse_second(sources, context, entry, *known);
    }
  }
}

// The files that one entry of `include:` means; reports when it means none that it may.
std::vector<fs::path> included_files(const Place& place, Context& context) {
  const auto text = read_text(place, context, "a path such as routes/*.yaml");
  if (!text) return {};
  const fs::path pattern(*text);
  const bool climbs = std::find(pattern.begin(), pattern.end(), "..") != pattern.end();
  if (pattern.is_absolute() || climbs) {
    context.report.add(codes::kBadInclude, place.node.at,
                       fmt::format("'{}' is outside the folder of the configuration", *text));
    return {};
  }
  std::vector<fs::path> files = matching_files(context.folder, pattern);
  if (files.empty())
    context.report.add(codes::kBadInclude, place.node.at,
                       fmt::format("'{}' matches no file in {}", *text,
                                   context.folder.empty() ? "." : context.folder.string()));
  for (const fs::path& file : files) {
    if (is_below(file, context.folder)) continue;
    context.report.add(
        codes::kBadInclude, place.node.at,
        fmt::format("'{}' leads outside the folder of the configuration", file.string()));
    return {};
  }
  return files;
}

void include_file(Sources& sources, Context& context, const fs::path& file, const Position& at,
                  Node& root) {
  const std::string path = file.lexically_normal().string();
  const bool is_known = std::any_of(sources.begin(), sources.end(),
                                    [&](const Source& source) { return source.path() == path; });
  if (is_known) return;  // two patterns may match one file
  if (sources.size() == kMaxFiles) {
    context.report.add(codes::kTooLarge, at, fmt::format("more than {} files", kMaxFiles));
    return;
  }
  auto text = read_file(file, yaml::kMaxBytes);
  if (!text) {
    context.report.add(codes::kUnreadableFile, at,
                       fmt::format("cannot read '{}': {}", path, text.error().code.message()));
    return;
  }
  sources.emplace_back(path, std::move(*text));
  const auto index = static_cast<std::uint32_t>(sources.size() - 1);
  Node document = yaml::read(sources, index, context.report);
  if (document.kind == Kind::null || document.kind == Kind::broken) return;
  if (is_map({document, path, document.at}, context))
    add_document(sources, context, root, std::move(document));
}

// Splits "tests[2].route" into tests, 2, route.
std::vector<std::string_view> key_parts(std::string_view key) {
  std::vector<std::string_view> parts;
  while (!key.empty()) {
    const auto end = key.find_first_of(".[]");
    if (end != 0) parts.push_back(key.substr(0, end));
    if (end == std::string_view::npos) break;
    key.remove_prefix(end + 1);
  }
  return parts;
}

struct Found {
  Position at;
  bool whole;  // every part of the key was there
};

Found find_place(const Node& root, std::span<const std::string_view> parts) {
  const Node* node = &root;
  Position at = root.at;
  for (std::string_view part : parts) {
    if (const Entry* entry = node->find(part)) {
      node = &entry->value;
      at = node->kind == Kind::scalar ? node->at : entry->key_at;
    } else if (const auto index = parse_count(part);
               node->kind == Kind::sequence && index && *index < node->items.size()) {
      node = &node->items[*index];
      at = node->at;
    } else {
      return {at, false};
    }
  }
  return {at, true};
}

// How two nodes become one.
enum class Merging : std::uint8_t { plain, growing_lists, header_rules, header_names };

Merging below(Merging here, std::string_view key) {
  if (here == Merging::growing_lists || key == "redact" || key == "compare")
    return Merging::growing_lists;
  if (key == "request_headers" || key == "response_headers") return Merging::header_rules;
  return here == Merging::header_rules && key == "set" ? Merging::header_names : Merging::plain;
}

bool is_same_key(std::string_view left, std::string_view right, Merging merging) {
  return merging == Merging::header_names ? gateway::http1::is_same_name(left, right)
                                          : left == right;
}

Node merge(const Node& base, const Node& over, Merging merging) {
  if (base.kind == Kind::sequence && over.kind == Kind::sequence &&
      merging == Merging::growing_lists) {
    Node merged = over;
    merged.items.insert(merged.items.begin(), base.items.begin(), base.items.end());
    return merged;
  }
  if (base.kind != Kind::map || over.kind != Kind::map) return over;
  Node merged = over;
  const auto own = static_cast<std::ptrdiff_t>(over.entries.size());
  for (const Entry& entry : base.entries) {
    // Of what `over` says alone: two keys of `base` that are one header are still reported.
    const auto end = merged.entries.begin() + own;
    const auto same = std::find_if(merged.entries.begin(), end, [&](const Entry& other) {
      return is_same_key(other.key, entry.key, merging);
    });
    if (same == end)
      merged.entries.push_back(entry);
    else
      same->value = merge(entry.value, same->value, below(merging, entry.key));
  }
  return merged;
}

}  // namespace

Node read_documents(Sources& sources, Context& context) {
  Node root = yaml::read(sources, 0, context.report);
  if (root.kind == Kind::null) root.kind = Kind::map;
  const Entry* include = root.find("include");
  if (include == nullptr) return root;
  const Node list = include->value;  // a copy: `root` grows below
  const Place place{list, "include", include->key_at};
  if (!is_sequence(place, context, "a list of paths")) return root;
  for (std::size_t i = 0; i < list.items.size(); ++i)
    for (const fs::path& file : included_files(place.item(i), context))
      include_file(sources, context, file, list.items[i].at, root);
  return root;
}

Node inherit(const Node& base, const Node& over) {
  return merge(base, over, Merging::plain);
}

Position locate(const Node& root, std::string_view key) {
  const std::vector<std::string_view> parts = key_parts(key);
  const Found found = find_place(root, parts);
  if (found.whole || parts.size() < 3 || parts[0] != "routes") return found.at;
  std::vector<std::string_view> in_defaults(parts.begin() + 1, parts.end());
  in_defaults.front() = "defaults";
  const Found inherited = find_place(root, in_defaults);
  return inherited.whole ? inherited.at : found.at;
}

}  // namespace segue::config
