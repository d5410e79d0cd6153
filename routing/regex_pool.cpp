#include "routing/regex_pool.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "routing/regex_samples.hpp"

namespace segue::routing {
namespace {

// Bytes of the common prefix that PossibleMatchRange may look at.
constexpr int kRangeLength = 16;
// DFA states that RE2 may keep per expression, in bytes; over it, RE2 flushes and goes on.
constexpr std::int64_t kRegexMemory = 2 << 20;

}  // namespace

RegexPool::RegexPool() = default;
RegexPool::~RegexPool() = default;

Checked<const re2::RE2*> RegexPool::compile(std::string_view text) {
  if (const auto known = expressions_.find(text); known != expressions_.end())
    return known->second.get();
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  auto regex = std::make_unique<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (regex->error_code() == re2::RE2::ErrorPatternTooLarge ||
      regex->error_code() == re2::RE2::ErrorRepeatSize) {
    return Complaint{"E036",
                     fmt::format("the expression '{}' is over the limit: {}", text, regex->error()),
                     "match less in one expression, e.g. '[0-9]+' instead of a long repetition"};
  }
  if (!regex->ok()) {
    return Complaint{"E035",
                     fmt::format("'{}' is not an RE2 expression: {}", text, regex->error()),
                     "see https://github.com/google/re2/wiki/Syntax"};
  }
  if (regex->ProgramSize() > kMaxRegexInstructions) {
    return Complaint{"E036",
                     fmt::format("the expression '{}' compiles to {} instructions; the limit is {}",
                                 text, regex->ProgramSize(), kMaxRegexInstructions),
                     "match less in one expression, e.g. '[0-9]+' instead of a long repetition"};
  }
  const auto* compiled = regex.get();
  expressions_.emplace(std::string(text), std::move(regex));
  return compiled;
}

bool matches_whole(const re2::RE2& regex, std::string_view text) noexcept {
  const re2::StringPiece piece(text.data(), text.size());
  return regex.Match(piece, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

std::vector<std::string> samples_of(const re2::RE2& regex) {
  std::vector<std::string> samples = sample_expression(regex.pattern());
  std::string least;
  std::string greatest;
  if (regex.PossibleMatchRange(&least, &greatest, kRangeLength)) samples.push_back(least);
  for (const char* common : {"1", "42", "a", "x", "abc", "A", "a-b", "a1", "2024-01-31", "/", "/a"})
    samples.emplace_back(common);
  std::erase_if(samples, [&](const std::string& text) { return !matches_whole(regex, text); });
  return samples;
}

bool proven_disjoint(const re2::RE2& a, const re2::RE2& b) {
  std::string least_a, greatest_a, least_b, greatest_b;
  if (!a.PossibleMatchRange(&least_a, &greatest_a, kRangeLength)) return false;
  if (!b.PossibleMatchRange(&least_b, &greatest_b, kRangeLength)) return false;
  return greatest_a < least_b || greatest_b < least_a;
}

bool matches_every_segment(const re2::RE2& regex) {
  static constexpr std::array<std::string_view, 6> kUniversal = {".*", ".+",      "[^/]+",
                                                                 "[^/]*", "(.*)", "(.+)"};
  return std::find(kUniversal.begin(), kUniversal.end(), regex.pattern()) != kUniversal.end();
}

bool matches_every_path(const re2::RE2& regex) {
  return regex.pattern() == ".*" || regex.pattern() == ".+" || regex.pattern() == "/.*";
}

}  // namespace segue::routing
