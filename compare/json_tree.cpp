#include "compare/json_tree.hpp"

#include <simdjson.h>

#include <cstring>
#include <utility>

namespace segue::compare {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_trailing_blanks(std::string_view token) noexcept {
  while (!token.empty() && is_blank(token.back())) token.remove_suffix(1);
  return token;
}

std::size_t past_digits(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// RFC 8259, section 6: the parser gives tokens, it does not look into numbers that nobody reads.
bool is_number(std::string_view text) noexcept {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  std::size_t end = past_digits(text, at);
  if (end == at || (text[at] == '0' && end > at + 1)) return false;
  if (end < text.size() && text[end] == '.') {
    at = end + 1;
    end = past_digits(text, at);
    if (end == at) return false;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    at = end + 1;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    end = past_digits(text, at);
    if (end == at) return false;
  }
  return end == text.size();
}

// Escapes of RFC 8259, section 7, whatever surrogates they make.
bool are_escapes(std::string_view raw) noexcept {
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\') continue;
    if (++at == raw.size()) return false;
    if (raw[at] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(raw[at]) == std::string_view::npos) return false;
      continue;
    }
    const std::string_view digits = raw.substr(at + 1, 4);
    constexpr std::string_view kHex = "0123456789abcdefABCDEF";
    if (digits.size() < 4 || digits.find_first_not_of(kHex) != std::string_view::npos) return false;
    at += 4;
  }
  return true;
}

unsigned hex_value(char c) noexcept {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

unsigned code_unit(std::string_view digits) noexcept {
  unsigned unit = 0;
  for (const char c : digits.substr(0, 4)) unit = unit << 4 | hex_value(c);
  return unit;
}

char* put_utf8(unsigned code, char* to) noexcept {
  const auto put = [&](unsigned byte) { *to++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
  return to;
}

// What `raw`, whose escapes are some, means; half a surrogate pair in the three bytes that it would
// have in UTF-8 (WTF-8), which no string that is valid can hold.
std::string_view unescaped(std::string_view raw, TextArena& arena) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  char* const room = arena.take(raw.size());  // no escape is shorter than what it means
  char* to = room;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\') {
      *to++ = raw[at];
      continue;
    }
    if (raw[++at] != 'u') {
      *to++ = kMeant[kNames.find(raw[at])];
      continue;
    }
    unsigned code = code_unit(raw.substr(at + 1));
    at += 4;
    const std::string_view next = raw.substr(at + 1);
    if (code >= 0xd800 && code < 0xdc00 && next.starts_with("\\u")) {
      const unsigned low = code_unit(next.substr(2));
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    to = put_utf8(code, to);
  }
  return {room, static_cast<std::size_t>(to - room)};
}

bool is_at_end(ondemand::document& document) noexcept {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// Without replacing what is no character: newer versions of simdjson want that said.
template <typename Field>
simdjson::simdjson_result<std::string_view> plain_name(Field& field) {
  if constexpr (requires { field.unescaped_key(false); })
    return field.unescaped_key(false);
  else
    return field.unescaped_key();
}

}  // namespace

struct JsonReader::Parser {
  ondemand::parser parser;
};

JsonReader::JsonReader() : parser_(std::make_unique<Parser>()) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

std::size_t JsonReader::held() const noexcept {
  constexpr std::size_t kOfParser = 6;  // an index of 4 bytes, and room for a string
  return padded_.capacity() + parser_->parser.capacity() * kOfParser;
}

// Goes through one document. Recursion is bounded by Tree::kMostDepth.
class JsonReader::Walk {
 public:
  explicit Walk(Tree& tree) : tree_(tree) {}

  TreeMade value(ondemand::value value, std::size_t depth, std::string_view name);
  std::string_view problem() const noexcept { return problem_; }

 private:
  TreeMade malformed(std::string_view problem) noexcept {
    problem_ = problem;
    return TreeMade::malformed;
  }
  TreeMade array(ondemand::value& value, std::size_t depth, Tree::Index at);
  TreeMade object(ondemand::value& value, std::size_t depth, Tree::Index at);
  TreeMade string(ondemand::value& value, Tree::Index at);
  TreeMade scalar(ondemand::value& value, Tree::Index at);
  bool name_of(ondemand::field& field, std::string_view& name);
  std::string_view raw_of(ondemand::value& value);

  Tree& tree_;
  std::string_view problem_;
};

std::string_view JsonReader::Walk::raw_of(ondemand::value& value) {
  return without_trailing_blanks(value.raw_json_token());
}

TreeMade JsonReader::Walk::value(ondemand::value value, std::size_t depth, std::string_view name) {
  if (tree_.is_full() || depth > Tree::kMostDepth) return TreeMade::too_large;
  const std::string_view raw = raw_of(value);
  if (raw.empty()) return malformed("a value is missing");
  const Tree::Index at = tree_.add(NodeKind::null);
  Node& node = tree_.edit(at);
  node.name = name;
  node.written = raw;
  TreeMade made = TreeMade::done;
  if (raw.front() == '"') return string(value, at);
  if (raw.front() == '{') {
    made = object(value, depth, at);
  } else if (raw.front() == '[') {
    made = array(value, depth, at);
  } else {
    return scalar(value, at);
  }
  tree_.close(at);
  return made;
}

TreeMade JsonReader::Walk::array(ondemand::value& value, std::size_t depth, Tree::Index at) {
  tree_.edit(at).kind = NodeKind::array;
  ondemand::array elements;
  if (value.get_array().get(elements) != simdjson::SUCCESS)
    return malformed("an array is not whole");
  std::uint32_t count = 0;
  for (auto element : elements) {
    ondemand::value child;
    if (element.get(child) != simdjson::SUCCESS) return malformed("an array is not well-formed");
    const TreeMade made = this->value(child, depth + 1, {});
    if (made != TreeMade::done) return made;
    ++count;
  }
  tree_.edit(at).children = count;
  return TreeMade::done;
}

TreeMade JsonReader::Walk::object(ondemand::value& value, std::size_t depth, Tree::Index at) {
  tree_.edit(at).kind = NodeKind::object;
  ondemand::object members;
  if (value.get_object().get(members) != simdjson::SUCCESS)
    return malformed("an object is not whole");
  std::uint32_t count = 0;
  for (auto member : members) {
    ondemand::field field;
    std::string_view name;
    if (std::move(member).get(field) != simdjson::SUCCESS)
      return malformed("an object is not well-formed");
    if (!name_of(field, name)) return malformed("a name has an escape that is none");
    const TreeMade made = this->value(field.value(), depth + 1, name);
    if (made != TreeMade::done) return made;
    ++count;
  }
  tree_.edit(at).children = count;
  return TreeMade::done;
}

bool JsonReader::Walk::name_of(ondemand::field& field, std::string_view& name) {
  const char* const begin = field.key().raw();
  const char* end = begin;
  bool has_escapes = false;
  for (; *end != '"'; ++end) {
    if (*end != '\\') continue;
    has_escapes = true;
    ++end;
  }
  name = {begin, static_cast<std::size_t>(end - begin)};
  if (!has_escapes) return true;
  std::string_view plain;
  if (plain_name(field).get(plain) == simdjson::SUCCESS) {
    name = tree_.texts().keep(plain);
    return true;
  }
  if (!are_escapes(name)) return false;
  name = unescaped(name, tree_.texts());
  return true;
}

TreeMade JsonReader::Walk::string(ondemand::value& value, Tree::Index at) {
  Node& node = tree_.edit(at);
  node.kind = NodeKind::string;
  if (node.written.size() < 2 || node.written.back() != '"')
    return malformed("a string is not whole");
  node.text = node.written.substr(1, node.written.size() - 2);
  if (std::memchr(node.text.data(), '\\', node.text.size()) == nullptr) {
    ondemand::raw_json_string passed;
    const error_code error = value.get_raw_json_string().get(passed);
    return error == simdjson::SUCCESS ? TreeMade::done : malformed("a string is not whole");
  }
  std::string_view plain;
  if (value.get_string().get(plain) == simdjson::SUCCESS) {
    node.text = tree_.texts().keep(plain);
    return TreeMade::done;
  }
  if (!are_escapes(node.text)) return malformed("an escape is none");
  node.text = unescaped(node.text, tree_.texts());
  return TreeMade::done;
}

// The parser passes over a scalar that was not taken.
TreeMade JsonReader::Walk::scalar(ondemand::value&, Tree::Index at) {
  Node& node = tree_.edit(at);
  node.text = node.written;
  if (node.text == "true" || node.text == "false") {
    node.kind = NodeKind::boolean;
  } else if (node.text != "null") {
    if (!is_number(node.text)) return malformed("a value is none of JSON's");
    node.kind = NodeKind::number;
  }
  return TreeMade::done;
}

// The body between brackets (a document that is neither object nor array is read as the element of
// an array, because the parser treats it differently) and with the padding that the parser wants.
std::string_view JsonReader::fill(std::string_view body) {
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  const std::size_t wanted = body.size() + 2 + simdjson::SIMDJSON_PADDING;
  if (padded_.size() < wanted) padded_.resize(wanted);
  if (!body.empty()) std::memcpy(padded_.data() + 1, body.data(), body.size());
  std::memset(padded_.data() + 1 + body.size(), 0, 1 + simdjson::SIMDJSON_PADDING);
  return {padded_.data() + 1, body.size()};
}

TreeMade JsonReader::read_document(std::size_t begin, std::size_t end, Tree& tree) {
  while (begin < end && is_blank(padded_[begin])) ++begin;
  if (begin == end) {
    problem_ = "nothing is there";
    return TreeMade::malformed;
  }
  const bool is_bare = padded_[begin] != '{' && padded_[begin] != '[';
  const char before = padded_[begin - 1];
  const char behind = padded_[end];
  if (is_bare) {
    padded_[--begin] = '[';
    padded_[end++] = ']';
  }
  ondemand::document document;
  ondemand::value root;
  const simdjson::padded_string_view text(padded_.data() + begin, end - begin,
                                          padded_.size() - begin);
  error_code error = parser_->parser.iterate(text).get(document);
  if (error == simdjson::SUCCESS) error = document.get_value().get(root);
  TreeMade made = TreeMade::malformed;
  Walk walk(tree);
  if (error == simdjson::SUCCESS && is_bare) {
    ondemand::array only;
    ondemand::value element;
    if (root.get_array().get(only) == simdjson::SUCCESS) {
      std::size_t count = 0;
      for (auto each : only) {
        if (each.get(element) != simdjson::SUCCESS || ++count > 1) break;
        made = walk.value(element, 0, {});
        if (made != TreeMade::done) break;
      }
      if (count != 1 && made == TreeMade::done) made = TreeMade::malformed;
    }
  } else if (error == simdjson::SUCCESS) {
    made = walk.value(root, 0, {});
  }
  if (made == TreeMade::done && !is_at_end(document)) made = TreeMade::malformed;
  if (is_bare) {
    padded_[begin] = before;
    padded_[end - 1] = behind;
  }
  if (made == TreeMade::malformed) {
    problem_ = walk.problem();
    if (error == simdjson::UTF8_ERROR) problem_ = "not in UTF-8";
    if (error == simdjson::UNCLOSED_STRING) problem_ = "a string is not closed";
    if (error == simdjson::UNESCAPED_CHARS) problem_ = "a string holds a control character";
    if (problem_.empty()) problem_ = "not one JSON value";
  }
  return made;
}

TreeMade JsonReader::read(std::string_view body, Tree& tree) {
  tree.clear();
  const std::string_view text = fill(body);
  tree.set_source_end(text.data() + text.size());
  return read_document(1, 1 + text.size(), tree);
}

TreeMade JsonReader::read_lines(std::string_view body, Tree& tree) {
  tree.clear();
  const std::string_view text = fill(body);
  tree.set_source_end(text.data() + text.size());
  const Tree::Index root = tree.add(NodeKind::array);
  tree.edit(root).written = text;
  std::uint32_t count = 0;
  constexpr char kRecord = '\x1e';  // RFC 7464; then a line feed is a blank
  const char separator = text.find(kRecord) == std::string_view::npos ? '\n' : kRecord;
  for (std::size_t at = 1; at <= text.size();) {
    const std::size_t found = text.find(separator, at - 1);
    const std::size_t end = found == std::string_view::npos ? text.size() + 1 : found + 1;
    std::size_t begin = at;
    while (begin < end && is_blank(padded_[begin])) ++begin;
    at = end + 1;
    if (begin == end) continue;
    const TreeMade made = read_document(begin, end, tree);
    if (made != TreeMade::done) return made;
    ++count;
  }
  tree.edit(root).children = count;
  tree.close(root);
  return TreeMade::done;
}

}  // namespace segue::compare
