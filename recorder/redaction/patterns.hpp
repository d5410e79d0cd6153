#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/substitutes.hpp"
#include "recorder/settings.hpp"

namespace re2 {
class RE2;
}

namespace segue::recorder {

// Card numbers: 13 to 19 digits, single blanks, dashes or plus signs between them, with the check
// digit of ISO/IEC 7812-1, and no digit on either side. Appends a hit for each; those that overlap
// are one. Stops when there are more than Patterns::kMostHits, as find_emails() does.
void find_cards(std::string_view text, RuleIndex rule, std::vector<Hit>& hits);

// E-mail addresses: local@domain with a dot in the domain. What is quoted is not found.
void find_emails(std::string_view text, RuleIndex rule, std::vector<Hit>& hits);

// Why a regular expression cannot be used; nullopt when it can. RE2 syntax; it may not match the
// empty text, and its program has at most kMostRegexInstructions.
std::optional<std::string> check_regex(const std::string& regex);
inline constexpr int kMostRegexInstructions = 5'000;

// The patterns of one route, compiled. Immutable, one core's: a regular expression that several
// threads use shares a lock.
class Patterns {
 public:
  static constexpr std::size_t kLongestMatch = 1 << 20;  // bytes, of a regular expression
  static constexpr std::size_t kWindow = 64 << 10;       // bytes searched at a time
  static constexpr std::size_t kOverlap = 4 << 10;       // bytes of a window searched twice
  static constexpr std::size_t kMostHits = 20'000;       // in one text

  // `first`: index of the first pattern's rule; the others follow in order.
  Patterns(const std::vector<PatternRedaction>& patterns, RuleIndex first);
  ~Patterns();
  Patterns(Patterns&&) noexcept;

  bool empty() const noexcept { return patterns_.empty(); }
  bool has_regex() const noexcept;
  // Appends what is found. False when there is more than kMostHits: the text cannot be kept.
  bool find(std::string_view text, std::vector<Hit>& hits) const;

 private:
  struct Pattern {
    PatternKind kind;
    std::unique_ptr<re2::RE2> regex;
  };
  static bool find_regex(const re2::RE2& regex, std::string_view text, RuleIndex rule,
                         std::vector<Hit>& hits);

  std::vector<Pattern> patterns_;
  RuleIndex first_;
};

}  // namespace segue::recorder
