#include "routing/regex_samples.hpp"

#include <algorithm>
#include <charconv>

namespace segue::routing {
namespace {

using Samples = std::vector<std::string>;

// Guesses kept per sub-expression: enough for alternatives, few enough to multiply.
constexpr std::size_t kMaxSamples = 12;
// Nested groups followed before guessing stops.
constexpr int kMaxDepth = 50;
// Longest repetition spelled out.
constexpr std::size_t kMaxRepetition = 64;

struct Repetition {
  std::size_t least = 1;
  std::size_t most = 1;
};

// Recursive descent over the expression; one object per expression.
class Sampler {
 public:
  explicit Sampler(std::string_view text) : text_(text) {}

  Samples alternatives(int depth) {
    Samples all = sequence(depth);
    while (take('|')) {
      for (auto& sample : sequence(depth)) all.push_back(std::move(sample));
    }
    if (all.size() > kMaxSamples) all.resize(kMaxSamples);
    return all;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char next() { return done() ? '\0' : text_[at_++]; }

  Samples sequence(int depth) {
    Samples all{""};
    while (!done() && peek() != '|' && peek() != ')') {
      const Samples one = atom(depth);
      all = joined(all, repeated(one, repetition()));
    }
    return all;
  }

  static Samples joined(const Samples& heads, const Samples& tails) {
    Samples all;
    for (std::size_t i = 0; i < std::max(heads.size(), tails.size()) && !tails.empty(); ++i)
      all.push_back(heads[i % heads.size()] + tails[i % tails.size()]);
    for (const auto& head : heads) {
      for (const auto& tail : tails) {
        if (all.size() >= kMaxSamples) return all;
        if (std::find(all.begin(), all.end(), head + tail) == all.end()) all.push_back(head + tail);
      }
    }
    return all.empty() ? heads : all;
  }

  static Samples repeated(const Samples& one, Repetition times) {
    Samples all;
    const std::size_t first = times.least == 0 ? 1 : times.least;
    for (const std::size_t count : {std::min(first, times.most), times.least, first + 1}) {
      if (count < times.least || count > times.most || count > kMaxRepetition) continue;
      for (const auto& sample : one) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += sample;
        if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
      }
      if (times.least == times.most) break;
    }
    if (all.size() > kMaxSamples) all.resize(kMaxSamples);
    return all;
  }

  Repetition repetition() {
    Repetition times;
    if (take('*')) {
      times = {0, kMaxRepetition};
    } else if (take('+')) {
      times = {1, kMaxRepetition};
    } else if (take('?')) {
      times = {0, 1};
    } else if (peek() == '{') {
      times = counted();
    }
    take('?');  // a lazy repetition matches the same strings
    return times;
  }

  Repetition counted() {
    const auto end = text_.find('}', at_);
    if (end == std::string_view::npos) return {};
    const auto body = text_.substr(at_ + 1, end - at_ - 1);
    Repetition times;
    const auto read =
        std::from_chars(body.data(), body.data() + body.size(), times.least);
    if (read.ec != std::errc{}) return {};
    at_ = end + 1;
    times.most = times.least;
    if (const auto comma = body.find(','); comma != std::string_view::npos) {
      times.most = kMaxRepetition;
      const auto upper = body.substr(comma + 1);
      std::from_chars(upper.data(), upper.data() + upper.size(), times.most);
    }
    return times;
  }

  Samples atom(int depth) {
    const char c = next();
    if (c == '(') return group(depth);
    if (c == '[') return character_class();
    if (c == '.') return {"a", "1", "-"};
    if (c == '^' || c == '$') return {""};
    if (c == '\\') return escape();
    return {std::string(1, c)};
  }

  Samples group(int depth) {
    if (take('?')) {
      while (!done() && peek() != ':' && peek() != '>' && peek() != ')') ++at_;
      if (peek() == ')') {
        ++at_;
        return {""};
      }
      ++at_;
    }
    if (depth >= kMaxDepth) {
      at_ = text_.size();
      return {""};
    }
    Samples inner = alternatives(depth + 1);
    take(')');
    return inner;
  }

  Samples escape() {
    const char c = next();
    switch (c) {
      case 'd': return {"1", "7"};
      case 'D': return {"a", "-"};
      case 'w': return {"a", "1", "_"};
      case 'W': return {"-", "."};
      case 's': return {" "};
      case 'S': return {"a", "1"};
      case 'A': case 'z': case 'b': case 'B': return {""};
      case 'p': case 'P':
        if (take('{')) at_ = std::min(text_.size(), text_.find('}', at_)) + 1;
        else ++at_;
        return {"a", "A", "1"};
      default: return {std::string(1, c)};
    }
  }

  Samples character_class() {
    const bool negated = take('^');
    Samples inside;
    bool first = true;
    while (!done() && (first || peek() != ']')) {
      first = false;
      if (text_.substr(at_, 2) == "[:") {
        at_ = std::min(text_.size(), text_.find(":]", at_)) + 2;
        for (const char* guess : {"a", "1", "A"}) inside.emplace_back(guess);
        continue;
      }
      const bool escaped = take('\\');
      if (escaped && !done() && std::string_view("dwsDWS").find(peek()) != std::string_view::npos) {
        for (auto& guess : escape()) inside.push_back(std::move(guess));
        continue;
      }
      inside.emplace_back(1, next());
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        inside.emplace_back(1, next());
      }
    }
    take(']');
    if (inside.size() > kMaxSamples) inside.resize(kMaxSamples);
    return negated ? Samples{"a", "1", "-", "A", "_", "~"} : inside;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string> sample_expression(std::string_view expression) {
  return Sampler(expression).alternatives(0);
}

}  // namespace segue::routing
