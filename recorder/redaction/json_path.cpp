#include "recorder/redaction/json_path.hpp"

#include <charconv>

#include "exchange/ensure.hpp"

namespace segue::recorder {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Reads one path from left to right. A member function that fails has set `what_`.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool read(std::vector<JsonStep>& steps) {
    if (!take('$')) return fail("a path begins with $");
    while (at_ < text_.size()) {
      if (steps.size() == JsonPath::kMostSteps) return fail("a path has at most 32 steps");
      JsonStep step;
      if (!read_step(step)) return false;
      steps.push_back(std::move(step));
    }
    return true;
  }
  JsonPath::Problem problem() const { return {what_, at_}; }

 private:
  bool fail(const char* what) {
    what_ = what;
    return false;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool read_step(JsonStep& step) {
    if (!take('.')) return take('[') ? read_bracket(step) : fail("a step begins with . or [");
    step.descends = take('.');
    if (step.descends && take('[')) return read_bracket(step);
    if (take('*')) return true;
    step.kind = JsonStep::Kind::name;
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    step.name = text_.substr(begin, at_ - begin);
    if (step.name.empty()) return fail("a name is missing");
    if (at_ == text_.size() || peek() == '.' || peek() == '[') return true;
    return fail("such a name stands in brackets and quotes: ['a b']");
  }

  bool read_bracket(JsonStep& step) {
    if (take('*')) {
      step.kind = JsonStep::Kind::any;
    } else if (peek() == '\'' || peek() == '"') {
      step.kind = JsonStep::Kind::name;
      if (!read_quoted(step.name)) return false;
    } else {
      step.kind = JsonStep::Kind::index;
      const char* const begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), step.index);
      if (error != std::errc{} || end == begin) return fail("brackets hold 'name', an index or *");
      at_ += static_cast<std::size_t>(end - begin);
    }
    return take(']') || fail("] is missing (lists, slices and filters are not supported)");
  }

  bool read_quoted(std::string& name) {
    const char quote = text_[at_++];
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == quote) {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (++at_ == text_.size()) break;
        c = text_[at_];
        if (c != quote && c != '\\' && c != '/')
          return fail("of escapes only \\' \\\" \\\\ and \\/");
      }
      name += c;
    }
    return fail("the quote is not closed");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  const char* what_ = "";
};

}  // namespace

std::optional<JsonPath> JsonPath::parse(std::string_view text, Problem& problem) {
  JsonPath path;
  Reader reader(text);
  if (reader.read(path.steps)) return path;
  problem = reader.problem();
  return std::nullopt;
}

JsonPaths::JsonPaths(const std::vector<Redaction>& paths, RuleIndex first) : first_(first) {
  for (const Redaction& redaction : paths) {
    JsonPath::Problem problem;
    auto path = JsonPath::parse(redaction.name, problem);
    ensure(path.has_value(), "the configuration checks JSON paths");
    for (const JsonStep& step : path->steps)
      counts_arrays_ |= step.kind == JsonStep::Kind::index && step.index < 0;
    paths_.push_back({std::move(path->steps), redaction.mode});
  }
}

int JsonPaths::stricter(int a, std::size_t b) const {
  const auto rule = static_cast<std::size_t>(first_) + b;
  if (a == kNone) return static_cast<int>(rule);
  const auto& known = paths_[static_cast<std::size_t>(a) - first_];
  return paths_[b].mode > known.mode ? static_cast<int>(rule) : a;
}

int JsonPaths::start(std::vector<State>& states) const {
  int hidden = kNone;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (paths_[i].steps.empty())
      hidden = stricter(hidden, i);
    else
      states.push_back(json_path_state(i, 0));
  }
  return hidden;
}

template <class Matches>
int JsonPaths::enter(std::vector<State>& states, std::size_t from, std::size_t to,
                     Matches matches) const {
  int hidden = kNone;
  carry_states(paths_, states, from, to, matches,
               [&](std::size_t path) { hidden = stricter(hidden, path); });
  return hidden;
}

int JsonPaths::enter_member(std::vector<State>& states, std::size_t from, std::size_t to,
                            std::string_view name) const {
  return enter(states, from, to, [name](const JsonStep& step) {
    return step.kind == JsonStep::Kind::any ||
           (step.kind == JsonStep::Kind::name && step.name == name);
  });
}

int JsonPaths::enter_element(std::vector<State>& states, std::size_t from, std::size_t to,
                             std::uint64_t index, std::uint64_t length) const {
  return enter(states, from, to, [index, length](const JsonStep& step) {
    if (step.kind != JsonStep::Kind::index) return step.kind == JsonStep::Kind::any;
    const auto wanted = static_cast<std::uint64_t>(step.index);
    return step.index >= 0 ? index == wanted : index == length + wanted;  // wraps around
  });
}

}  // namespace segue::recorder
