#include "config/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "config/codes.hpp"

namespace segue::config::yaml {
namespace {

// Ends a parse from within an event; never leaves this file.
struct Abandoned {};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_real(std::string_view text) {  // [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] ... )?
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('-') || exponent.starts_with('+')) exponent.remove_prefix(1);
    if (!all_digits(exponent)) return false;
    text = text.substr(0, e);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return all_digits(text);
  const std::string_view whole = text.substr(0, dot);
  const std::string_view part = text.substr(dot + 1);
  if (whole.empty()) return all_digits(part);
  return all_digits(whole) && (part.empty() || all_digits(part));
}

bool is_integer(std::string_view text) {
  if (text.starts_with("0x"))
    return text.size() > 2 &&
           text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  if (text.starts_with("0o"))
    return text.size() > 2 && text.find_first_not_of("01234567", 2) == std::string_view::npos;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return all_digits(text);
}

// Length in bytes of a UTF-8 sequence at the front (RFC 3629); 0: malformed.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
    return 0;
  return length;
}

// Control characters that YAML does not allow in a stream (YAML 1.2.2, 5.1).
bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

// The offset of the first byte that is not text; npos when all is.
std::size_t find_not_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (is_forbidden(text[i])) return i;
    const std::size_t length = utf8_sequence(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

// How many bytes of `rest` (a line from a token's first byte on) the token takes, for the caret.
std::size_t token_bytes(std::string_view rest, std::string_view value) {
  if (rest.empty()) return 0;
  const char first = rest.front();
  if (first == '[' || first == '{') return 1;
  if (first == '"' || first == '\'') {
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (first == '"' && rest[i] == '\\') {
        ++i;
      } else if (rest[i] == first) {
        if (first == '\'' && i + 1 < rest.size() && rest[i + 1] == '\'') {
          ++i;
        } else {
          return i + 1;
        }
      }
    }
    return rest.size();
  }
  if (!value.empty() && rest.starts_with(value)) return value.size();
  const auto end = rest.find_first_of(" \t,]}#");
  return std::max<std::size_t>(1, end == std::string_view::npos ? rest.size() : end);
}

// Builds the tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Sources& sources, std::uint32_t file, Report& report)
      : sources_(sources), file_(file), report_(report) {}

  Node take_root() { return std::move(root_); }
  Position position(const YAML::Mark& mark, std::string_view value) const;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    report_.add(codes::kYamlForm, position(mark, ""), "a second document starts here",
                "a configuration is one YAML document: remove '---'");
    throw Abandoned{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    const std::string_view rest = rest_of_line(mark);
    // For an absent value yaml-cpp names the next token's place: the key's is of more use.
    const bool written = rest.starts_with('~') || rest.starts_with("null") ||
                         rest.starts_with("Null") || rest.starts_with("NULL") || anchor != 0;
    node.at = written ? position(mark, "") : parent_position(mark);
    check_anchor(node, anchor);
    attach(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node;
    node.kind = Kind::broken;
    node.at = position(mark, "");
    report_.add(codes::kAnchor, node.at, "aliases are not part of this format",
                "write the value here, or use 'defaults'");
    attach(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Kind::scalar;
    node.text = value;
    node.quoted = tag == "!";
    node.at = position(mark, value);
    check_anchor(node, anchor);
    check_tag(node, tag, mark);
    attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    std::optional<Entry> pending;  // a map's key that waits for its value
    bool keep = true;              // whether the pending entry goes into the tree
    std::unordered_map<std::string, std::uint32_t> lines;  // of the keys so far
  };

  std::string_view rest_of_line(const YAML::Mark& mark) const;
  std::uint32_t column_of(std::uint32_t line, std::string_view before) const;
  Position parent_position(const YAML::Mark& mark) const;
  void check_anchor(Node& node, YAML::anchor_t anchor);
  void check_tag(Node& node, const std::string& tag, const YAML::Mark& mark);
  void count_node(const Position& at);
  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void attach(Node node);
  void take_key(Level& level, const Node& node);

  const Sources& sources_;
  std::uint32_t file_;
  Report& report_;
  std::vector<Level> levels_;
  Node root_;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  struct Counted {
    std::uint32_t line = 0;
    std::size_t bytes = 0;
    std::uint32_t characters = 0;
  };
  mutable Counted counted_;  // how far the columns of the current line are known
};

std::string_view TreeBuilder::rest_of_line(const YAML::Mark& mark) const {
  if (mark.line < 0 || mark.column < 0) return {};
  const std::string_view line = sources_[file_].line(static_cast<std::size_t>(mark.line) + 1);
  return line.substr(std::min(static_cast<std::size_t>(mark.column), line.size()));
}

// Counts on from the last token of the same line, so that one long line is read once.
std::uint32_t TreeBuilder::column_of(std::uint32_t line, std::string_view before) const {
  if (line != counted_.line || before.size() < counted_.bytes) counted_ = {line, 0, 0};
  counted_.characters += count_characters(before.substr(counted_.bytes));
  counted_.bytes = before.size();
  return counted_.characters + 1;
}

Position TreeBuilder::position(const YAML::Mark& mark, std::string_view value) const {
  Position at{.file = file_};
  if (mark.line < 0 || mark.column < 0) return at;
  const std::string_view rest = rest_of_line(mark);
  const std::string_view line = sources_[file_].line(static_cast<std::size_t>(mark.line) + 1);
  at.line = static_cast<std::uint32_t>(mark.line) + 1;
  at.column = column_of(at.line, line.substr(0, line.size() - rest.size()));
  at.length = std::max(1U, count_characters(rest.substr(0, token_bytes(rest, value))));
  return at;
}

Position TreeBuilder::parent_position(const YAML::Mark& mark) const {
  if (levels_.empty()) return position(mark, "");
  const Level& level = levels_.back();
  return level.pending ? level.pending->key_at : level.node.at;
}

void TreeBuilder::check_anchor(Node& node, YAML::anchor_t anchor) {
  if (anchor == 0) return;
  report_.add(codes::kAnchor, node.at, "anchors are not part of this format",
              "write the value where it is needed, or use 'defaults'");
  node.kind = Kind::broken;
}

// yaml-cpp gives "?" to plain nodes and "!" to quoted scalars; everything else was written.
void TreeBuilder::check_tag(Node& node, const std::string& tag, const YAML::Mark& mark) {
  if ((tag.empty() || tag == "?" || tag == "!") && !rest_of_line(mark).starts_with('!')) return;
  report_.add(codes::kTag, node.at, "tags are not part of this format", "remove the tag");
  node.kind = Kind::broken;
}

void TreeBuilder::count_node(const Position& at) {
  if (++nodes_ <= kMaxNodes) return;
  report_.add(codes::kTooLarge, at, fmt::format("more than {} values in one file", kMaxNodes));
  throw Abandoned{};
}

void TreeBuilder::open(Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
  Level level;
  level.node.kind = kind;
  level.node.at = position(mark, "");
  if (levels_.size() == kMaxDepth) {
    report_.add(codes::kTooLarge, level.node.at,
                fmt::format("more than {} maps and lists within each other", kMaxDepth));
    throw Abandoned{};
  }
  check_anchor(level.node, anchor);
  check_tag(level.node, tag, mark);
  levels_.push_back(std::move(level));
}

void TreeBuilder::close() {
  Node node = std::move(levels_.back().node);
  levels_.pop_back();
  if (node.kind == Kind::broken) {
    node.items.clear();
    node.entries.clear();
  }
  attach(std::move(node));
}

void TreeBuilder::attach(Node node) {
  count_node(node.at);
  if (levels_.empty()) {
    root_ = std::move(node);
    return;
  }
  Level& level = levels_.back();
  if (level.node.kind == Kind::sequence) {
    level.node.items.push_back(std::move(node));
  } else if (!level.pending) {
    take_key(level, node);
  } else {
    level.pending->value = std::move(node);
    if (level.keep) level.node.entries.push_back(std::move(*level.pending));
    level.pending.reset();
  }
}

void TreeBuilder::take_key(Level& level, const Node& node) {
  level.pending = Entry{.key = node.text, .key_at = node.at, .value = {}};
  level.keep = false;
  if (node.kind == Kind::broken) return;
  if (node.kind != Kind::scalar) {
    report_.add(codes::kYamlForm, node.at, "a key must be text", "quote it");
    return;
  }
  if (node.text == "<<" && !node.quoted) {
    report_.add(codes::kAnchor, node.at, "merge keys are not part of this format",
                "write the keys here, or use 'defaults'");
    return;
  }
  const auto [found, fresh] = level.lines.emplace(node.text, node.at.line);
  if (!fresh) {
    report_.add(codes::kDuplicateKey, node.at,
                fmt::format("key '{}' is already there, in line {}", node.text, found->second),
                "keep one of them");
    return;
  }
  level.keep = true;
}

bool check_text(const Sources& sources, std::uint32_t file, Report& report) {
  const std::string_view text = sources[file].text();
  if (text.size() > kMaxBytes) {
    report.add(codes::kTooLarge, {.file = file},
               fmt::format("the file is longer than {} KiB", kMaxBytes >> 10));
    return false;
  }
  const std::size_t bad = find_not_text(text);
  if (bad == std::string_view::npos) return true;
  const auto line = static_cast<std::uint32_t>(std::count(
                        text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n')) +
                    1;
  report.add(codes::kNotYaml, {.file = file, .line = line, .column = 1},
             fmt::format("byte 0x{:02x} is not UTF-8 text", static_cast<unsigned char>(text[bad])));
  return false;
}

}  // namespace

const Entry* Node::find(std::string_view key) const noexcept {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

CoreType core_type(const Node& scalar) noexcept {
  const std::string_view text = scalar.text;
  if (scalar.quoted) return CoreType::text;
  for (const char* word : {"true", "True", "TRUE", "false", "False", "FALSE"})
    if (text == word) return CoreType::boolean;
  if (is_integer(text)) return CoreType::integer;
  return is_real(text) ? CoreType::real : CoreType::text;
}

Node read(const Sources& sources, std::uint32_t file, Report& report) {
  Node broken;
  broken.kind = Kind::broken;
  broken.at = {.file = file};
  if (!check_text(sources, file, report)) return broken;
  std::istringstream stream{std::string(sources[file].text())};
  TreeBuilder builder(sources, file, report);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const Abandoned&) {
    return broken;
  } catch (const YAML::Exception& error) {
    report.add(codes::kNotYaml, builder.position(error.mark, ""),
               fmt::format("not valid YAML: {}", error.msg));
    return broken;
  } catch (const std::logic_error& error) {  // yaml-cpp 0.7 throws a few of these by mistake
    report.add(codes::kNotYaml, {.file = file}, fmt::format("not valid YAML: {}", error.what()));
    return broken;
  }
}

}  // namespace segue::config::yaml
