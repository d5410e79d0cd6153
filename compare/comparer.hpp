#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "compare/difference.hpp"
#include "compare/settings.hpp"

namespace segue::v1 {
class Exchange;
}

namespace segue::compare {

enum class Verdict : std::uint8_t {
  same,
  different,
  incomparable,  // no difference was found, and not everything could be looked at
  credentials,   // 401 or 403 on the right side alone: stripped or expired credentials
};

std::string_view name_of(Verdict verdict) noexcept;

// What came of comparing two responses.
struct Comparison {
  Verdict verdict = Verdict::same;
  // Why not everything could be compared, static text: "no response", "truncated", "skipped",
  // "broken off", "unknown content coding", "content coding damaged", "decoded too long",
  // "redacted", "too large", "too many differences", "stopped". Empty when everything was. Set with
  // incomparable, and may be with different: then there is more to the pair than its differences
  // say.
  std::string_view reason;
  std::vector<Difference> differences;
  // Fields that could not be compared because redaction hid them (masked, dropped, encrypted); in
  // headers the name, in JSON the path with [*], of dropped values that of the rule. They do not
  // change the verdict, but where a whole document is hidden.
  std::vector<std::string> hidden;
};

// Headers that are never compared: Date, Server, Via, Age, request ids, and what belongs to one
// hop (docs/comparing.md has the list). Lower case.
const std::vector<std::string>& ignored_headers();

// Compares responses of one route by its rules: status, headers, body by media type (JSON, XML and
// HTML by structure, other text by lines, the rest by length and digest), content codings undone.
// Keeps its memory from pair to pair; one thread.
class Comparer {
 public:
  // `problem` of the first rule that is none: which, and why. Those of a configuration that was
  // loaded have none.
  struct Made;
  // Once a stop is requested, on any thread, the comparison that is under way ends at once, for the
  // reason "stopped", and so does every later one.
  static Made make(const RouteRules& rules, std::stop_token stop = {});
  ~Comparer();

  // Valid until the next call. Never fails: what peers sent may be anything.
  const Comparison& compare(const v1::Exchange& left, const v1::Exchange& right);

 private:
  struct State;
  explicit Comparer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Comparer::Made {
  std::unique_ptr<Comparer> comparer;  // null: there is a problem
  std::string problem;                 // "compare.json[2].path: ..."
};

}  // namespace segue::compare
