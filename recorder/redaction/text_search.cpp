#include "recorder/redaction/text_search.hpp"

#include <algorithm>

namespace segue::recorder {
namespace {

// What begins a name; with '=' also what ends one.
constexpr std::string_view kUrlStarts = "?#&;=";
constexpr std::string_view kFormStarts = "&;=";
constexpr std::string_view kTextStarts = "&;\r\n=";

std::string_view name_ends(Parameters written) {
  if (written == Parameters::url) return kUrlStarts;
  return written == Parameters::form ? kFormStarts : kTextStarts;
}

// Walks over the parameters of a text.
class ParameterWalk {
 public:
  ParameterWalk(std::string_view text, Parameters written)
      : text_(text), name_ends_(name_ends(written)) {
    starts_ = name_ends_.substr(0, name_ends_.size() - 1);
    // A value goes on to the next & whatever it holds: rather hide too much.
    ends_ = written == Parameters::text ? "&\r\n" : "&";
    if (written == Parameters::url) at_ = next_start(0);
  }

  // Where a name begins, behind its separator.
  bool done() const { return at_ == std::string_view::npos || at_ > text_.size(); }
  std::size_t begin() const { return at_; }

  // The name that begins here, and where its value does; npos: it has none.
  std::string_view name() {
    const std::size_t end = std::min(text_.find_first_of(name_ends_, at_), text_.size());
    value_ = end < text_.size() && text_[end] == '=' ? end + 1 : std::string_view::npos;
    return text_.substr(at_, end - at_);
  }
  std::size_t value() const { return value_; }
  std::size_t value_end() const {
    return std::min(text_.find_first_of(ends_, value_), text_.size());
  }

  void skip_value(std::size_t end) { at_ = next_start(end); }
  void skip_name() { at_ = next_start(value_ != std::string_view::npos ? value_ : at_); }

 private:
  std::size_t next_start(std::size_t from) const {
    const std::size_t found = text_.find_first_of(starts_, from);
    return found == std::string_view::npos ? found : found + 1;
  }

  std::string_view text_, name_ends_, starts_, ends_;
  std::size_t at_ = 0;
  std::size_t value_ = 0;
};

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A parameter that is dropped takes a separator with it.
void widen(Hit& hit, std::size_t name, std::string_view text) {
  hit.begin = name;
  if (hit.end < text.size())
    ++hit.end;
  else if (name > 0 && text[name - 1] != '?' && text[name - 1] != '#')
    --hit.begin;
}

// `whole`: the text is as it stood on the wire, so that what is dropped can be cut out of it.
bool find_parameters(std::string_view text, const ParameterRules& rules, Parameters written,
                     bool whole, std::vector<Hit>& hits) {
  ParameterWalk walk(text, written);
  std::string decoded;
  while (!walk.done()) {
    std::string_view name = walk.name();
    if (name.find_first_of("%+") != std::string_view::npos) {
      decoded = percent_decoded(name, Plus::space);
      name = decoded;
    }
    const int rule = rules.match(without_blanks(name));
    if (rule == ParameterRules::kNone || walk.value() == std::string_view::npos) {
      walk.skip_name();
      continue;
    }
    const std::size_t end = walk.value_end();
    if (hits.size() >= Patterns::kMostHits) return false;
    Hit hit{walk.value(), end, static_cast<RuleIndex>(rule),
            percent_decoded(text.substr(walk.value(), end - walk.value()), Plus::space)};
    if (whole && rules.drops(rule)) widen(hit, walk.begin(), text);
    if (hit.begin != hit.end) hits.push_back(std::move(hit));
    walk.skip_value(end);
  }
  return true;
}

}  // namespace

ParameterRules::ParameterRules(const std::vector<Redaction>& parameters, RuleIndex first) {
  for (const Redaction& parameter : parameters)
    names_.push_back(
        {parameter.name, static_cast<RuleIndex>(first + names_.size()), parameter.mode});
  std::ranges::sort(names_, {}, &Name::name);
}

int ParameterRules::match(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      names_, name, {}, [](const Name& known) { return std::string_view(known.name); });
  return found != names_.end() && found->name == name ? found->rule : kNone;
}

bool ParameterRules::drops(int rule) const {
  return std::ranges::any_of(names_, [rule](const Name& name) {
    return name.rule == rule && name.mode == RedactionMode::drop;
  });
}

bool TextSearch::search(std::string_view text, const TextRules& rules, Parameters parameters,
                        bool is_decoded) {
  if (!rules.patterns.find(text, found_)) return false;
  if (parameters == Parameters::none) return true;
  const ParameterRules& named = parameters == Parameters::url ? rules.query : rules.form;
  // A form's separators mean nothing once its encoding is undone.
  const bool again = is_decoded && parameters != Parameters::url;
  return named.empty() || again || find_parameters(text, named, parameters, !is_decoded, found_);
}

// Searches what is left of decoded_ when its percent-encoding is undone, and so on.
bool TextSearch::find_decoded(const TextRules& rules, Parameters parameters, Plus plus) {
  for (int level = 0; level < kMostLevels && decoded_.undo_percent(plus); ++level) {
    if (!search_decoded(rules, parameters, true)) return false;
    plus = Plus::literal;
  }
  return true;
}

bool TextSearch::find(std::string_view text, const TextRules& rules, Parameters parameters) {
  hits_.clear();
  found_.clear();
  if (!search(text, rules, parameters, false)) return false;
  std::swap(hits_, found_);
  if (has_percent_escape(text)) {
    decoded_.assign(text);
    if (!find_decoded(rules, parameters, Plus::literal)) return false;
  }
  // JSON may stand where it is not declared, and in pieces.
  const bool has_escapes = !rules.patterns.empty() && text.find("\\u") != std::string_view::npos;
  if (has_escapes && !find_unescaped(text, rules)) return false;
  const bool plus_is_space = parameters != Parameters::none && rules.patterns.has_regex();
  if (!plus_is_space || text.find('+') == std::string_view::npos) return true;
  decoded_.assign(text);
  return find_decoded(rules, parameters, Plus::space);
}

// Searches decoded_; takes the hits back to where they stand in the text.
bool TextSearch::search_decoded(const TextRules& rules, Parameters parameters, bool is_decoded) {
  found_.clear();
  const bool kept = search(decoded_.text(), rules, parameters, is_decoded);
  for (Hit& hit : found_) {
    hit.begin = decoded_.origin(hit.begin);
    hit.end = decoded_.origin(hit.end);
    hits_.push_back(std::move(hit));
  }
  return kept && hits_.size() <= Patterns::kMostHits;
}

// Undoes JSON's escapes, and then percent-encoding, in search of patterns. A string may hold JSON
// with escapes of its own.
bool TextSearch::find_unescaped(std::string_view text, const TextRules& rules) {
  decoded_.assign(text);
  for (int level = 0; level < kMostLevels; ++level) {
    if (level > 0 && decoded_.text().find("\\u") == std::string_view::npos) break;
    decoded_.undo_json();
    if (!search_decoded(rules, Parameters::none, false)) return false;
  }
  return find_decoded(rules, Parameters::none, Plus::literal);
}

bool TextSearch::find_in_json(std::string_view text, const TextRules& rules) {
  if (text.find('\\') == std::string_view::npos) return find(text, rules, Parameters::none);
  hits_.clear();
  return find_unescaped(text, rules);
}

void TextSearch::trim() {
  decoded_.trim();
}

}  // namespace segue::recorder
