#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/regex_pool.hpp"
#include "routing/request_path.hpp"
#include "routing/route_rule.hpp"

namespace segue::routing {

// Segments a path form may have; it bounds the depth of the search tree.
inline constexpr std::size_t kMaxPatternSegments = 64;

enum class SegmentKind : std::uint8_t { literal, regex, parameter };  // the better rank first

struct PatternSegment {
  SegmentKind kind = SegmentKind::literal;
  std::string text;                  // literal: decoded; regex: the expression
  std::string parameter;             // name, unless literal
  const re2::RE2* regex = nullptr;   // regex only; owned by the pool
  bool matches(std::string_view segment) const noexcept;
};

enum class Ending : std::uint8_t {
  ends,             // the path ends here
  rest_with_regex,  // anything follows, and the whole path matches an expression
  rest,             // anything follows
};

// One path form, ready to be ranked, compared and matched: `path`, `prefix`, and `regex` with
// `under` are all segments and an ending. Immutable once read.
struct PathPattern {
  std::vector<PatternSegment> segments;
  Ending ending = Ending::ends;
  std::size_t rest_least = 0;      // segments that {p...} takes at least; a prefix takes none
  std::string rest_parameter;      // of {p...}
  const re2::RE2* whole = nullptr;  // rest_with_regex: over the whole decoded path

  bool matches(const RequestPath& path) const noexcept;
  bool has_parameter(std::string_view name) const noexcept;
  // One character a segment and one for the ending. Of two patterns that match the same path the
  // one with the lower text has the better rank ("left to right, at the first that differs").
  std::string rank() const;
};

// Reads a template: literals, {p}, {p:regex}, and last {p...}. E030 to E037, E060.
Checked<PathPattern> read_template(std::string_view text, RegexPool& pool);
// Reads a prefix: literal segments, no slash at the end. E030, E037, E038, E060.
Checked<PathPattern> read_prefix(std::string_view text);
// Reads `regex` with `under`. E030, E035 to E039, E060.
Checked<PathPattern> read_whole_regex(std::string_view regex, std::string_view under,
                                      RegexPool& pool);
// The path form of a rule. With `trailing_slash: ignore` a template gives two patterns, with and
// without the slash; everything else gives one.
Checked<std::vector<PathPattern>> read_patterns(const Match& match, TrailingSlash trailing_slash,
                                                RegexPool& pool);

}  // namespace segue::routing
