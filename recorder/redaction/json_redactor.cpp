#include "recorder/redaction/json_redactor.hpp"

#include <simdjson.h>

#include <algorithm>

#include "recorder/redaction/json_scan.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kNoComma = ~std::size_t{0};

}  // namespace

static_assert(JsonRedactor::kMostDepth == simdjson::DEFAULT_MAX_DEPTH);

struct JsonRedactor::Parser {
  simdjson::dom::parser parser;
};

JsonRedactor::JsonRedactor() : parser_(std::make_unique<Parser>()) {}
JsonRedactor::~JsonRedactor() = default;

// One pass over one document. `out` gets everything up to copied_; what lies between copied_ and
// at_ is copied when something behind it changes.
class JsonRedactor::Walk {
 public:
  Walk(JsonRedactor& own, std::string_view text, const Rules& rules, TextSearch& search,
       Substitutes& substitutes, std::string& out)
      : own_(own),
        text_(text),
        paths_(rules.paths),
        text_rules_(rules.text),
        search_(search),
        substitutes_(substitutes),
        out_(out) {}

  bool run();

 private:
  void measure_arrays();
  std::uint64_t length_of_array_at(std::size_t at);
  bool open_value(std::size_t states_begin);
  bool element(std::size_t level);
  bool member(std::size_t level);
  std::string_view name_at(std::size_t begin, std::size_t end);
  bool search_string(std::size_t begin, std::size_t end);
  bool search_number(std::size_t begin, std::size_t end);
  void hide_value(RuleIndex rule);
  void drop_member(RuleIndex rule, std::size_t begin, Level& level);
  void put_value(RuleIndex rule, std::string_view value, std::string_view raw);

  bool drops(RuleIndex rule) const {
    return substitutes_.rules()[rule].mode == RedactionMode::drop;
  }
  void copy_to(std::size_t at) {
    out_ += text_.substr(copied_, at - copied_);
    copied_ = at;
  }

  JsonRedactor& own_;
  std::string_view text_;
  const JsonPaths& paths_;
  const TextRules& text_rules_;
  TextSearch& search_;
  Substitutes& substitutes_;
  std::string& out_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  std::size_t next_array_ = 0;
};

bool JsonRedactor::Walk::run() {
  own_.levels_.clear();
  own_.states_.clear();
  if (paths_.counts_arrays()) measure_arrays();
  at_ = json::skip_blanks(text_, 0);
  const int hidden = paths_.start(own_.states_);
  bool kept = true;
  if (hidden != JsonPaths::kNone)
    hide_value(static_cast<RuleIndex>(hidden));
  else
    kept = open_value(0);
  while (kept && !own_.levels_.empty() && at_ < text_.size()) {
    const std::size_t level = own_.levels_.size() - 1;
    at_ = json::skip_blanks(text_, at_);
    if (at_ >= text_.size()) break;
    const char c = text_[at_];
    if (c == '}' || c == ']') {
      ++at_;
      own_.states_.resize(own_.levels_[level].states_begin);
      own_.levels_.pop_back();
    } else if (c == ',') {
      own_.levels_[level].comma = out_.size() + (at_ - copied_);
      ++at_;
    } else {
      kept = own_.levels_[level].is_array ? element(level) : member(level);
    }
  }
  copy_to(text_.size());
  return kept;
}

// The lengths of all arrays in one pass, because an index may count from the end.
void JsonRedactor::Walk::measure_arrays() {
  constexpr std::size_t kObject = ~std::size_t{0};
  auto& arrays = own_.arrays_;
  auto& open = own_.open_arrays_;
  arrays.clear();
  open.clear();
  for (std::size_t at = 0; at < text_.size();) {
    const char c = text_[at];
    if (c == '"') {
      at = json::skip_string(text_, at);
      continue;
    }
    if (c == '[') {
      const std::size_t first = json::skip_blanks(text_, at + 1);
      const bool empty = first < text_.size() && text_[first] == ']';
      open.push_back(arrays.size());
      arrays.push_back({at, empty ? 0U : 1U});
    } else if (c == '{') {
      open.push_back(kObject);
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
    } else if (c == ',' && !open.empty() && open.back() != kObject) {
      ++arrays[open.back()].length;
    }
    ++at;
  }
}

std::uint64_t JsonRedactor::Walk::length_of_array_at(std::size_t at) {
  if (!paths_.counts_arrays()) return 0;
  auto& arrays = own_.arrays_;
  while (next_array_ < arrays.size() && arrays[next_array_].at < at) ++next_array_;
  return next_array_ < arrays.size() ? arrays[next_array_].length : 0;
}

// A value that is not hidden, whose states begin at `states_begin`: into a container, or past a
// scalar.
bool JsonRedactor::Walk::open_value(std::size_t states_begin) {
  auto& states = own_.states_;
  const bool looks_inside = states.size() > states_begin || !text_rules_.patterns.empty();
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if ((c == '{' || c == '[') && looks_inside) {
    const bool is_array = c == '[';
    own_.levels_.push_back({is_array, states_begin, states.size(), 0,
                            is_array ? length_of_array_at(at_) : 0, kNoComma});
    ++at_;
    return true;
  }
  states.resize(states_begin);
  const std::size_t begin = at_;
  at_ = std::max(begin + 1, json::skip_value(text_, begin));
  if (text_rules_.patterns.empty()) return true;
  if (c == '"') return search_string(begin, at_);
  return (c == '-' || (c >= '0' && c <= '9')) ? search_number(begin, at_) : true;
}

bool JsonRedactor::Walk::element(std::size_t at) {
  Level& level = own_.levels_[at];
  auto& states = own_.states_;
  const std::size_t begin = states.size();
  const int hidden = paths_.enter_element(states, level.states_begin, level.states_end,
                                          level.index++, level.length);
  if (hidden == JsonPaths::kNone) return open_value(begin);
  states.resize(begin);
  hide_value(static_cast<RuleIndex>(hidden));
  return true;
}

bool JsonRedactor::Walk::member(std::size_t at) {
  Level& level = own_.levels_[at];
  auto& states = own_.states_;
  const std::size_t begin = at_;
  const std::size_t name_end = text_[at_] == '"' ? json::skip_string(text_, at_) : text_.size();
  at_ = json::skip_blanks(text_, name_end);
  if (at_ < text_.size() && text_[at_] == ':') at_ = json::skip_blanks(text_, at_ + 1);
  if (at_ >= text_.size()) return true;

  const std::size_t states_begin = states.size();
  const int hidden =
      paths_.enter_member(states, level.states_begin, level.states_end, name_at(begin, name_end));
  if (hidden != JsonPaths::kNone) states.resize(states_begin);
  if (hidden != JsonPaths::kNone && drops(static_cast<RuleIndex>(hidden))) {
    drop_member(static_cast<RuleIndex>(hidden), begin, level);
    return true;
  }
  const bool kept = text_rules_.patterns.empty() || search_string(begin, name_end);
  if (hidden == JsonPaths::kNone) return kept && open_value(states_begin);
  hide_value(static_cast<RuleIndex>(hidden));
  return kept;
}

// A member's name without its quotes and escapes.
std::string_view JsonRedactor::Walk::name_at(std::size_t begin, std::size_t end) {
  if (end < begin + 2) return {};
  const std::string_view raw = text_.substr(begin + 1, end - begin - 2);
  if (raw.find('\\') == std::string_view::npos) return raw;
  own_.name_.assign(raw);
  own_.name_.undo_json();
  return own_.name_.text();
}

bool JsonRedactor::Walk::search_string(std::size_t begin, std::size_t end) {
  if (end < begin + 2) return true;
  const std::string_view content = text_.substr(begin + 1, end - begin - 2);
  if (!search_.find_in_json(content, text_rules_)) return false;
  if (search_.hits().empty()) return true;
  copy_to(begin + 1);
  substitutes_.replace(content, search_.hits(), out_);
  copied_ = end - 1;
  return true;
}

// A number in which a pattern finds something is hidden as a whole; one with a fraction or an
// exponent is no card.
bool JsonRedactor::Walk::search_number(std::size_t begin, std::size_t end) {
  const std::string_view number = text_.substr(begin, end - begin);
  const bool is_whole = number.find_first_of(".eE") == std::string_view::npos;
  if (!is_whole && !text_rules_.patterns.has_regex()) return true;
  if (!search_.find(number, text_rules_, Parameters::none)) return false;
  if (search_.hits().empty()) return true;
  copy_to(begin);
  const Hit& hit = search_.hits().front();
  put_value(hit.rule, hit.value, number);
  copied_ = end;
  return true;
}

// `raw` as a value of its own: a JSON string, or null where nothing may stay.
void JsonRedactor::Walk::put_value(RuleIndex rule, std::string_view value, std::string_view raw) {
  if (drops(rule)) {
    substitutes_.note(rule);
    out_ += "null";
    return;
  }
  out_ += '"';
  substitutes_.put(rule, value, raw, SealedForm::json_value, out_);
  out_ += '"';
}

void JsonRedactor::Walk::hide_value(RuleIndex rule) {
  const std::size_t begin = at_;
  at_ = std::max(begin + 1, json::skip_value(text_, begin));
  copy_to(begin);
  const std::string_view raw = text_.substr(begin, at_ - begin);
  const bool is_string = raw.starts_with('"') && raw.size() >= 2;
  put_value(rule, is_string ? name_at(begin, at_) : raw, raw);
  copied_ = at_;
}

// With the comma behind it; the last member with the one before it.
void JsonRedactor::Walk::drop_member(RuleIndex rule, std::size_t begin, Level& level) {
  substitutes_.note(rule);
  at_ = std::max(at_ + 1, json::skip_value(text_, at_));
  const std::size_t next = json::skip_blanks(text_, at_);
  copy_to(begin);
  if (next < text_.size() && text_[next] == ',') {
    at_ = next + 1;
  } else if (level.comma != kNoComma) {
    out_.resize(level.comma);
    level.comma = kNoComma;
  }
  copied_ = at_;
}

bool JsonRedactor::is_valid(std::string_view document) {
  largest_ = std::max(largest_, document.size());
  return parser_->parser.parse(document.data(), document.size(), false).error() ==
         simdjson::SUCCESS;
}

bool JsonRedactor::redact(std::string_view document, const Rules& rules, TextSearch& search,
                          Substitutes& substitutes, std::string& out) {
  return Walk(*this, document, rules, search, substitutes, out).run();
}

void JsonRedactor::trim() {
  if (largest_ <= kKeptBytes) return;
  largest_ = 0;
  parser_ = std::make_unique<Parser>();
  levels_ = {};
  states_ = {};
  arrays_ = {};
  open_arrays_ = {};
  name_ = {};
}

}  // namespace segue::recorder
