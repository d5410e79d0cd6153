#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/decoded_text.hpp"
#include "recorder/redaction/patterns.hpp"
#include "recorder/redaction/substitutes.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// Names of parameters to hide, compiled. Immutable; any thread.
class ParameterRules {
 public:
  // Rules are numbered from `first` in the order of the list.
  ParameterRules(const std::vector<Redaction>& parameters, RuleIndex first);

  bool empty() const noexcept { return names_.empty(); }
  // `name` as it is meant, without encoding. kNone: not listed.
  static constexpr int kNone = -1;
  int match(std::string_view name) const;
  bool drops(int rule) const;

 private:
  struct Name {
    std::string name;
    RuleIndex rule;
    RedactionMode mode;
  };
  std::vector<Name> names_;  // sorted
};

// How parameters are written where they are looked for.
enum class Parameters : std::uint8_t {
  none,  // patterns alone
  url,   // behind ? and #, between & and ;
  form,  // a form's body: between & and ;
  text,  // what may be a form's body: lines as well
};

// The rules on text of one route.
struct TextRules {
  const ParameterRules& query;
  const ParameterRules& form;
  const Patterns& patterns;
};

// Looks for what rules hide in a text. Percent-encoding is undone for that, kMostLevels deep,
// because addresses carry addresses; JSON's escapes as well, as deep, because strings carry JSON.
// One thread; its scratch memory is kept.
class TextSearch {
 public:
  static constexpr int kMostLevels = 3;

  // Fills hits(), offsets in `text`. False: more hits than may be, the text cannot be kept.
  bool find(std::string_view text, const TextRules& rules, Parameters parameters);
  // Patterns in the raw content of a JSON string.
  bool find_in_json(std::string_view text, const TextRules& rules);

  std::vector<Hit>& hits() noexcept { return hits_; }
  void trim();

 private:
  bool find_unescaped(std::string_view text, const TextRules& rules);
  bool search_decoded(const TextRules& rules, Parameters parameters, bool is_decoded);
  bool find_decoded(const TextRules& rules, Parameters parameters, Plus plus);
  bool search(std::string_view text, const TextRules& rules, Parameters parameters,
              bool is_decoded);

  std::vector<Hit> hits_;
  std::vector<Hit> found_;
  DecodedText decoded_;
};

}  // namespace segue::recorder
