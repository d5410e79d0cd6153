#include "routing/jwt_claim.hpp"

#include <algorithm>
#include <cstdint>

#include "exchange/head.hpp"

namespace segue::routing {
namespace {

// Objects and arrays inside one another that are followed before a token counts as malformed.
constexpr int kMaxNesting = 32;

int base64url_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-' || c == '+') return 62;
  if (c == '_' || c == '/') return 63;
  return -1;
}

bool append_base64url(std::string& out, std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = base64url_value(c);
    if (value < 0) return false;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xc0 | point >> 6);
    byte(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    byte(0xe0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3f));
    byte(0x80 | (point & 0x3f));
  } else {
    byte(0xf0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3f));
    byte(0x80 | (point >> 6 & 0x3f));
    byte(0x80 | (point & 0x3f));
  }
}

// Walks a JSON text (RFC 8259) forward without building it. Every step says whether the text was
// well-formed so far.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) noexcept : text_(text) {}

  bool take(char c) noexcept {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at(char c) noexcept {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == c;
  }

  // A string, still escaped, without its quotes.
  std::optional<std::string_view> string() noexcept {
    if (!take('"')) return std::nullopt;
    const auto begin = at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') ++at_;
      else if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
    }
    return std::nullopt;
  }

  // The text of a number, true, false or null.
  std::optional<std::string_view> word() noexcept {
    skip_blanks();
    const auto end = text_.find_first_of(",}] \t\r\n", at_);
    const auto word = text_.substr(at_, end - at_);
    if (word.empty() || end == std::string_view::npos) return std::nullopt;
    at_ = end;
    return word;
  }

  bool skip_value(int depth = 0) noexcept {
    if (depth > kMaxNesting) return false;
    if (at('"')) return string().has_value();
    if (at('{')) return skip_members(depth, '}');
    if (at('[')) return skip_members(depth, ']');
    return word().has_value();
  }

 private:
  void skip_blanks() noexcept {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
  }
  bool skip_members(int depth, char close) noexcept {
    ++at_;
    if (take(close)) return true;
    do {
      if (close == '}' && !(string() && take(':'))) return false;
      if (!skip_value(depth + 1)) return false;
    } while (take(','));
    return take(close);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<std::uint32_t> hex4(std::string_view text) noexcept {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? c + 32 : c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// Appends what "\uXXXX" at the front of `text` means; the number of characters read, 0 when bad.
std::size_t append_unicode(std::string& out, std::string_view text) {
  const auto first = hex4(text.substr(2));
  if (!first) return 0;
  if (*first < 0xd800 || *first > 0xdfff) {
    append_utf8(out, *first);
    return 6;
  }
  const auto second = text.substr(6, 2) == "\\u" ? hex4(text.substr(8)) : std::nullopt;
  if (*first > 0xdbff || !second || *second < 0xdc00 || *second > 0xdfff) return 0;
  append_utf8(out, 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00));
  return 12;
}

bool append_unescaped(std::string& out, std::string_view text) {
  static constexpr std::string_view kNames = "\"\\/bfnrt";
  static constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out.push_back(text[i++]);
      continue;
    }
    if (text.substr(i, 2) == "\\u") {
      const auto read = append_unicode(out, text.substr(i));
      if (read == 0) return false;
      i += read;
      continue;
    }
    const auto name = i + 1 < text.size() ? kNames.find(text[i + 1]) : std::string_view::npos;
    if (name == std::string_view::npos) return false;
    out.push_back(kBytes[name]);
    i += 2;
  }
  return true;
}

// The claim's value in `json`, which is the front part of `storage`; what is appended behind it
// is the answer.
std::optional<std::string_view> append_claim(std::string& storage, std::string_view claim) {
  const auto json_size = storage.size();
  storage.reserve(json_size * 2);  // an unescaped string is never longer than its JSON
  JsonWalk walk(std::string_view(storage).substr(0, json_size));
  if (!walk.take('{') || walk.at('}')) return std::nullopt;
  do {
    const auto name = walk.string();
    if (!name || !walk.take(':')) return std::nullopt;
    storage.resize(json_size);
    const bool is_claim = append_unescaped(storage, *name) &&
                          std::string_view(storage).substr(json_size) == claim;
    storage.resize(json_size);
    if (!is_claim) {
      if (!walk.skip_value()) return std::nullopt;
      continue;
    }
    if (walk.at('{') || walk.at('[')) return std::nullopt;
    if (!walk.at('"')) {
      const auto word = walk.word();
      return word == "null" ? std::nullopt : word;
    }
    const auto value = walk.string();
    if (!value || !append_unescaped(storage, *value)) return std::nullopt;
    return std::string_view(storage).substr(json_size);
  } while (walk.take(','));
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> read_jwt_claim(std::string_view token, std::string_view claim,
                                               std::string& storage) {
  static constexpr std::string_view kBearer = "bearer ";
  if (equals_ignoring_case(token.substr(0, kBearer.size()), kBearer))
    token.remove_prefix(kBearer.size());
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  storage.clear();
  if (!append_base64url(storage, token.substr(first + 1, second - first - 1))) return std::nullopt;
  return append_claim(storage, claim);
}

}  // namespace segue::routing
