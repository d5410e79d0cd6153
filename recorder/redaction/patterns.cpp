#include "recorder/redaction/patterns.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "exchange/ensure.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kFewestDigits = 13;
constexpr std::size_t kMostDigits = 19;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '+';
}

// ISO/IEC 7812-1, annex B.
bool passes_luhn(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (std::size_t i = digits.size(); i-- > 0; doubled = !doubled) {
    const int digit = digits[i] - '0';
    const int twice = digit * 2;
    sum += doubled ? (twice > 9 ? twice - 9 : twice) : digit;
  }
  return sum % 10 == 0;
}

// Where the card that starts with the group at `first` ends; 0: there is none. Groups that follow
// one another stand one separator apart. The longest card counts.
std::size_t card_end(std::string_view text, std::size_t first) {
  std::array<char, kMostDigits> digits{};
  std::size_t count = 0;
  std::size_t end = 0;
  for (std::size_t at = first;;) {
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (count == digits.size()) return end;
      digits[count++] = text[at];
    }
    if (count >= kFewestDigits && passes_luhn({digits.data(), count})) end = at;
    if (at + 1 >= text.size() || !is_separator(text[at]) || !is_digit(text[at + 1])) return end;
    ++at;
  }
}

std::string digits_of(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (is_digit(c)) digits += c;
  return digits;
}

constexpr std::size_t kLongestLocal = 256;  // bytes; RFC 5321 has 64 octets
constexpr std::size_t kLongestDomain = 255;

bool is_local(char c) {
  return is_letter(c) || is_digit(c) || (static_cast<unsigned char>(c) & 0x80) != 0 ||
         std::string_view("._%+'-!$*^~`").find(c) != std::string_view::npos;
}
bool is_domain(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Where the domain that starts at `at` ends; `at` when it is none.
std::size_t domain_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at < kLongestDomain && is_domain(text[end])) ++end;
  while (end > at && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  const std::string_view domain = text.substr(at, end - at);
  const std::size_t dot = domain.rfind('.');
  return dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3 ? at : end;
}

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(1 << 20);
  return options;
}

}  // namespace

// A card may also begin within what passes for one, as behind a date: every group is tried, and
// what overlaps is one hit.
void find_cards(std::string_view text, RuleIndex rule, std::vector<Hit>& hits) {
  std::size_t past = 0;
  for (std::size_t at = 0; at < text.size() && hits.size() <= Patterns::kMostHits;) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    if (const std::size_t end = card_end(text, at); end > past) {
      if (at < past) {
        hits.back().value += digits_of(text.substr(past, end - past));
        hits.back().end = end;
      } else {
        hits.push_back({at, end, rule, digits_of(text.substr(at, end - at))});
      }
      past = end;
    }
    while (at < text.size() && is_digit(text[at])) ++at;
  }
}

void find_emails(std::string_view text, RuleIndex rule, std::vector<Hit>& hits) {
  std::size_t past = 0;
  for (std::size_t at = text.find('@');
       at != std::string_view::npos && hits.size() <= Patterns::kMostHits;
       at = text.find('@', at + 1)) {
    const std::size_t lowest = std::max(past, at < kLongestLocal ? 0 : at - kLongestLocal);
    std::size_t begin = at;
    while (begin > lowest && is_local(text[begin - 1])) --begin;
    const std::size_t end = domain_end(text, at + 1);
    if (begin == at || end == at + 1) continue;
    hits.push_back({begin, end, rule, std::string(text.substr(begin, end - begin))});
    past = end;
    at = end - 1;
  }
}

std::optional<std::string> check_regex(const std::string& regex) {
  const re2::RE2 compiled(regex, regex_options());
  if (!compiled.ok()) return compiled.error();
  if (compiled.ProgramSize() > kMostRegexInstructions)
    return fmt::format("it has {} instructions, more than {}", compiled.ProgramSize(),
                       kMostRegexInstructions);
  if (re2::RE2::PartialMatch("", compiled)) return std::string("it matches the empty text");
  return std::nullopt;
}

Patterns::Patterns(const std::vector<PatternRedaction>& patterns, RuleIndex first) : first_(first) {
  for (const PatternRedaction& pattern : patterns) {
    Pattern& added = patterns_.emplace_back(Pattern{pattern.kind, nullptr});
    if (pattern.kind != PatternKind::regex) continue;
    added.regex = std::make_unique<re2::RE2>(pattern.regex, regex_options());
    ensure(added.regex->ok(), "the configuration checks regular expressions");
  }
}

Patterns::~Patterns() = default;
Patterns::Patterns(Patterns&&) noexcept = default;

bool Patterns::has_regex() const noexcept {
  return std::ranges::any_of(
      patterns_, [](const Pattern& pattern) { return pattern.kind == PatternKind::regex; });
}

// In windows, each beginning kOverlap before the end of the one before it: a search that finds
// little may otherwise read to the end of the text again and again. A match that reaches the end of
// its window is looked at again with more room.
bool Patterns::find_regex(const re2::RE2& regex, std::string_view text, RuleIndex rule,
                          std::vector<Hit>& hits) {
  const re2::StringPiece whole(text.data(), text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t window_end = std::min(text.size(), at + kWindow);
    const std::size_t next = window_end == text.size() ? window_end : window_end - kOverlap;
    re2::StringPiece found;
    while (at < next && regex.Match(whole, at, window_end, re2::RE2::UNANCHORED, &found, 1)) {
      const auto begin = static_cast<std::size_t>(found.data() - text.data());
      if (found.empty()) {
        at = begin + 1;
        continue;
      }
      if (hits.size() >= kMostHits) return false;
      const std::size_t longest = std::min(text.size(), begin + kLongestMatch);
      if (begin + found.size() == window_end && window_end < longest)  // it may go on
        regex.Match(whole, begin, longest, re2::RE2::ANCHOR_START, &found, 1);
      hits.push_back({begin, begin + found.size(), rule, std::string(found.data(), found.size())});
      at = begin + found.size();
    }
    at = std::max(at, next);
  }
  return true;
}

bool Patterns::find(std::string_view text, std::vector<Hit>& hits) const {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const auto rule = static_cast<RuleIndex>(first_ + i);
    switch (patterns_[i].kind) {
      case PatternKind::card:
        find_cards(text, rule, hits);
        break;
      case PatternKind::email:
        find_emails(text, rule, hits);
        break;
      case PatternKind::regex:
        if (!find_regex(*patterns_[i].regex, text, rule, hits)) return false;
        break;
    }
    if (hits.size() > kMostHits) return false;
  }
  return true;
}

}  // namespace segue::recorder
