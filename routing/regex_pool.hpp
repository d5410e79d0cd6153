#pragma once

#include <boost/system/result.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace segue::routing {

// RE2 instructions one expression may compile to. It bounds memory and the cost of a match; the
// largest that people write by hand for a path (a UUID, a date) take about a hundred.
inline constexpr int kMaxRegexInstructions = 1000;

// What is wrong with a text of the configuration; becomes a Problem once its key is known.
struct Complaint {
  std::string code;
  std::string message;
  std::string fix;
};

template <class T>
using Checked = boost::system::result<T, Complaint>;

// The compiled expressions of one table, each text once. Not thread-safe while it is filled;
// matching with what it returned is. Expressions live as long as the pool.
class RegexPool {
 public:
  RegexPool();
  ~RegexPool();
  RegexPool(const RegexPool&) = delete;
  RegexPool& operator=(const RegexPool&) = delete;

  // E035 when RE2 cannot read it, E036 when it is over kMaxRegexInstructions.
  Checked<const re2::RE2*> compile(std::string_view text);

 private:
  std::map<std::string, std::unique_ptr<const re2::RE2>, std::less<>> expressions_;
};

// Whether the whole of `text` matches.
bool matches_whole(const re2::RE2& regex, std::string_view text) noexcept;

// Strings that the expression matches, shortest efforts first; possibly none. For witnesses and
// for telling an overlap, not a complete enumeration.
std::vector<std::string> samples_of(const re2::RE2& regex);

// True when no string can match both, proven by the ranges of their first bytes; false says
// nothing.
bool proven_disjoint(const re2::RE2& a, const re2::RE2& b);

// True for expressions like ".*" that every non-empty segment matches.
bool matches_every_segment(const re2::RE2& regex);
// True for expressions like "/.*" that every path matches.
bool matches_every_path(const re2::RE2& regex);

}  // namespace segue::routing
