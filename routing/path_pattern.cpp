#include "routing/path_pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "routing/escapes.hpp"

namespace segue::routing {
namespace {

Complaint complain(std::string code, std::string message, std::string fix) {
  return {std::move(code), std::move(message), std::move(fix)};
}

bool is_parameter_name(std::string_view name) noexcept {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), letter);
}

// The index after the brace that closes the one at `at`; npos when none does. Braces inside of
// a character class or behind a backslash belong to the expression.
std::size_t after_parameter(std::string_view text, std::size_t at) noexcept {
  int depth = 0;
  bool in_class = false;
  for (std::size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (text.substr(i + 1, 1) == "^") ++i;
      if (text.substr(i + 1, 1) == "]") ++i;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Cuts a template at the slashes outside of braces; an expression may hold both.
Checked<std::vector<std::string_view>> cut_template(std::string_view text) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 1;
  for (std::size_t i = 1; i < text.size();) {
    if (text[i] == '{') {
      i = after_parameter(text, i);
      if (i == std::string_view::npos) {
        return complain("E031", fmt::format("a brace of '{}' is never closed", text),
                        "write {name}, {name:expression} or {name...}");
      }
      continue;
    }
    if (text[i] == '/') {
      pieces.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
    ++i;
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

Checked<PatternSegment> read_literal(std::string_view piece, bool last) {
  const auto never = [&](std::string_view why) {
    return complain("E037", fmt::format("the segment '{}' can never match: {}", piece, why),
                    "write the path as it is after its dots are resolved");
  };
  if (const auto odd = piece.find_first_of("?# \t"); odd != std::string_view::npos) {
    return complain("E030", fmt::format("'{}' cannot stand in a path", piece[odd]),
                    "conditions on the query go into `match.query`; escape others, e.g. %3F");
  }
  if (!has_whole_escapes(piece)) {
    return complain("E030", fmt::format("'{}' has a broken escape", piece), "write '%' as %25");
  }
  PatternSegment segment;
  segment.text = decoded(piece);
  if (piece.empty() && !last) return never("an empty segment in the middle ('//')");
  if (segment.text == "." || segment.text == "..") return never("dots are resolved before routing");
  if (segment.text.find('/') != std::string::npos)
    return never("an encoded slash is refused as path confusion");
  if (segment.text.find('\0') != std::string::npos) return never("%00 is refused");
  if (segment.text.starts_with(".;") || segment.text.starts_with("..;"))
    return never("'..;' is refused as path confusion");
  return segment;
}

Checked<PatternSegment> read_parameter(std::string_view piece, RegexPool& pool) {
  const auto inner = piece.substr(1, piece.size() - 2);
  const auto colon = inner.find(':');
  const auto name = inner.substr(0, colon);
  if (!is_parameter_name(name)) {
    return complain("E031", fmt::format("'{}' does not name a parameter", piece),
                    "a name has letters, digits, '_' and '-', e.g. {id}");
  }
  PatternSegment segment;
  segment.kind = SegmentKind::parameter;
  segment.parameter = name;
  if (colon == std::string_view::npos) return segment;
  segment.kind = SegmentKind::regex;
  segment.text = inner.substr(colon + 1);
  if (segment.text.empty()) {
    return complain("E031", fmt::format("'{}' has no expression after its colon", piece),
                    fmt::format("{{{}}}", name));
  }
  const auto regex = pool.compile(segment.text);
  if (!regex) return regex.error();
  segment.regex = *regex;
  return segment;
}

bool is_whole_parameter(std::string_view piece) noexcept {
  return piece.starts_with('{') && after_parameter(piece, 0) == piece.size();
}

Checked<PatternSegment> read_piece(std::string_view piece, bool last, RegexPool& pool) {
  if (is_whole_parameter(piece)) return read_parameter(piece, pool);
  if (piece.find_first_of("{}") == std::string_view::npos) return read_literal(piece, last);
  return complain("E032", fmt::format("in '{}' a parameter is only part of a segment", piece),
                  "a parameter takes a whole segment: {name:expression}, e.g. {file:.+\\.json}");
}

bool is_rest(std::string_view piece) noexcept {
  return piece.starts_with('{') && piece.ends_with("...}");
}

Checked<PathPattern> not_absolute(std::string_view text) {
  return complain("E030", fmt::format("'{}' does not begin with '/'", text),
                  fmt::format("/{}", text));
}

Checked<PathPattern> too_long() {
  return complain("E060", fmt::format("a path has at most {} segments", kMaxPatternSegments),
                  "use a prefix");
}

}  // namespace

bool PatternSegment::matches(std::string_view segment) const noexcept {
  if (kind == SegmentKind::literal) return segment == text;
  return !segment.empty() && (kind == SegmentKind::parameter || matches_whole(*regex, segment));
}

bool PathPattern::matches(const RequestPath& path) const noexcept {
  const auto given = path.segments();
  if (ending == Ending::ends ? given.size() != segments.size()
                             : given.size() < segments.size() + rest_least)
    return false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].matches(given[i].text)) return false;
  }
  return whole == nullptr || matches_whole(*whole, path.text());
}

bool PathPattern::has_parameter(std::string_view name) const noexcept {
  if (name.empty()) return false;
  if (rest_parameter == name) return true;
  return std::any_of(segments.begin(), segments.end(),
                     [&](const auto& segment) { return segment.parameter == name; });
}

std::string PathPattern::rank() const {
  std::string text;
  for (const auto& segment : segments)
    text.push_back(static_cast<char>('b' + static_cast<int>(segment.kind)));
  const char* const endings = "axy";  // ending beats continuing; any rest comes last
  text.push_back(endings[static_cast<int>(ending)]);
  return text;
}

Checked<PathPattern> read_template(std::string_view text, RegexPool& pool) {
  if (!text.starts_with('/')) return not_absolute(text);
  const auto pieces = cut_template(text);
  if (!pieces) return pieces.error();
  if (pieces->size() > kMaxPatternSegments) return too_long();
  PathPattern pattern;
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    const auto piece = (*pieces)[i];
    const bool last = i + 1 == pieces->size();
    if (is_rest(piece) && piece.find(':') == std::string_view::npos) {
      const auto name = piece.substr(1, piece.size() - 5);
      if (!last) {
        return complain("E033", fmt::format("'{}' takes all that follows and must be last", piece),
                        fmt::format("{{{}}} for one segment", name));
      }
      if (!is_parameter_name(name)) {
        return complain("E031", fmt::format("'{}' does not name a parameter", piece),
                        "{rest...}");
      }
      if (pattern.has_parameter(name)) {
        return complain("E034", fmt::format("the parameter '{}' appears twice", name),
                        "give each parameter a name of its own");
      }
      pattern.ending = Ending::rest;
      pattern.rest_least = 1;
      pattern.rest_parameter = name;
      break;
    }
    auto segment = read_piece(piece, last, pool);
    if (!segment) return segment.error();
    if (pattern.has_parameter(segment->parameter)) {
      return complain("E034", fmt::format("the parameter '{}' appears twice", segment->parameter),
                      "give each parameter a name of its own");
    }
    pattern.segments.push_back(*std::move(segment));
  }
  return pattern;
}

Checked<PathPattern> read_prefix(std::string_view text) {
  if (!text.starts_with('/')) return not_absolute(text);
  if (text.find_first_of("{}") != std::string_view::npos) {
    return complain("E038", fmt::format("the prefix '{}' holds a parameter", text),
                    fmt::format("path: \"{}{}{{rest...}}\"", text, text.ends_with('/') ? "" : "/"));
  }
  if (text.size() > 1 && text.ends_with('/')) {
    return complain("E038", fmt::format("the prefix '{}' ends in a slash", text),
                    fmt::format("prefix: {}   (a prefix ends at a segment: it matches {} and {}/x)",
                                text.substr(0, text.size() - 1), text.substr(0, text.size() - 1),
                                text.substr(0, text.size() - 1)));
  }
  PathPattern pattern;
  pattern.ending = Ending::rest;
  std::string_view rest = text == "/" ? std::string_view{} : text;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto piece = rest.substr(0, rest.find('/'));
    rest.remove_prefix(piece.size());
    auto segment = read_literal(piece, /*last=*/false);
    if (!segment) return segment.error();
    pattern.segments.push_back(*std::move(segment));
  }
  if (pattern.segments.size() > kMaxPatternSegments) return too_long();
  return pattern;
}

Checked<PathPattern> read_whole_regex(std::string_view regex, std::string_view under,
                                      RegexPool& pool) {
  if (under.empty()) {
    return complain("E039", "`regex` needs `under`, the prefix it is ranked at",
                    "under: / (or a longer prefix that every match begins with)");
  }
  auto pattern = read_prefix(under);
  if (!pattern) return pattern;
  const auto compiled = pool.compile(regex);
  if (!compiled) return compiled.error();
  pattern->ending = Ending::rest_with_regex;
  pattern->whole = *compiled;
  return pattern;
}

Checked<std::vector<PathPattern>> read_patterns(const Match& match, TrailingSlash trailing_slash,
                                                RegexPool& pool) {
  if (match.form != PathForm::regex && !match.under.empty()) {
    return complain("E039", "`under` only goes with `regex`", "remove `under`");
  }
  if (match.form == PathForm::regex && trailing_slash == TrailingSlash::ignore) {
    return complain("E039", "`trailing_slash: ignore` does not go with `regex`",
                    "end the expression in '/?'");
  }
  auto pattern = match.form == PathForm::path     ? read_template(match.path, pool)
                 : match.form == PathForm::prefix ? read_prefix(match.path)
                                                  : read_whole_regex(match.path, match.under, pool);
  if (!pattern) return pattern.error();
  std::vector<PathPattern> patterns{*pattern};
  const bool is_root = pattern->segments.size() == 1 && pattern->segments[0].text.empty() &&
                       pattern->segments[0].kind == SegmentKind::literal;
  if (trailing_slash == TrailingSlash::ignore && pattern->ending == Ending::ends && !is_root) {
    PathPattern other = *std::move(pattern);
    const auto& last = other.segments.back();
    if (last.kind == SegmentKind::literal && last.text.empty()) {
      other.segments.pop_back();
    } else {
      other.segments.emplace_back();
    }
    patterns.push_back(std::move(other));
  }
  return patterns;
}

}  // namespace segue::routing
