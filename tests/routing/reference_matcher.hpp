#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/routing/rules.hpp"

namespace segue::routing {

// The precedence rule once more, written as slowly and as plainly as possible over the rules
// themselves: it shares no code with the compiled table, so that the two can judge each other.
// It takes canonical paths only (no dots, no escapes, no "//").
class ReferenceMatcher {
 public:
  explicit ReferenceMatcher(std::vector<RouteRule> rules) : rules_(std::move(rules)) {}

  // All rules that match the whole request.
  std::vector<const RouteRule*> matching(const Request& request) const {
    std::vector<const RouteRule*> found;
    for (const auto& rule : rules_) {
      if (!tokens_for(rule, request).empty()) found.push_back(&rule);
    }
    return found;
  }

  // The one that beats all others; nullptr when there is none, which for a non-empty `matching`
  // means that the request is undecided.
  const RouteRule* winner(const Request& request) const {
    const auto candidates = matching(request);
    for (const auto* candidate : candidates) {
      bool beats_all = true;
      for (const auto* other : candidates)
        beats_all = beats_all && (other == candidate || beats(*candidate, *other, request));
      if (beats_all) return candidate;
    }
    return nullptr;
  }

  static bool beats(const RouteRule& a, const RouteRule& b, const Request& request) {
    const int host_a = host_rank(a.match.host);
    const int host_b = host_rank(b.match.host);
    if (host_a != host_b) return host_a > host_b;
    const auto path_a = tokens_for(a, request);
    const auto path_b = tokens_for(b, request);
    if (path_a != path_b) return path_a < path_b;
    const bool narrow_a = narrower(a.match, b.match);
    const bool narrow_b = narrower(b.match, a.match);
    if (narrow_a != narrow_b) return narrow_a;
    return std::find(a.before.begin(), a.before.end(), b.name) != a.before.end();
  }

 private:
  using Tokens = std::vector<int>;  // a rank for each segment, then one for how the form ends

  static int host_rank(const std::string& host) {
    if (host.empty()) return 0;
    if (!host.starts_with("*.")) return 1000;
    return static_cast<int>(std::count(host.begin(), host.end(), '.'));
  }

  static std::vector<std::string> cut(const std::string& path) {
    std::vector<std::string> segments(1);
    for (const char c : path.substr(1)) {
      if (c == '/') segments.emplace_back();
      else segments.back() += c;
    }
    return segments;
  }

  static bool full(const std::string& expression, const std::string& text) {
    return re2::RE2::FullMatch(text, expression);
  }

  // Empty when the rule does not match the request.
  static Tokens tokens_for(const RouteRule& rule, const Request& request) {
    if (!conditions_hold(rule.match, request)) return {};
    const auto path = request.target.substr(0, request.target.find('?'));
    auto tokens = path_tokens(rule.match, path);
    const bool ignores = rule.trailing_slash == TrailingSlash::ignore &&
                         rule.match.form == PathForm::path && path != "/";
    if (!tokens.empty() || !ignores || rule.match.path.ends_with("...}")) return tokens;
    if (!path.ends_with('/')) {
      tokens = path_tokens(rule.match, path + '/');
      if (!tokens.empty()) tokens.erase(tokens.end() - 2);
      return tokens;
    }
    tokens = path_tokens(rule.match, path.substr(0, path.size() - 1));
    if (!tokens.empty()) tokens.insert(tokens.end() - 1, 1);
    return tokens;
  }

  static Tokens path_tokens(const Match& match, const std::string& path) {
    const auto given = cut(path);
    Tokens tokens;
    if (match.form != PathForm::path) {
      const auto& prefix = match.form == PathForm::prefix ? match.path : match.under;
      const bool inside = prefix == "/" || path == prefix || path.starts_with(prefix + '/');
      if (!inside || (match.form == PathForm::regex && !full(match.path, path))) return {};
      if (prefix != "/") tokens.assign(cut(prefix).size(), 1);
      tokens.push_back(match.form == PathForm::regex ? 8 : 9);
      return tokens;
    }
    const auto wanted = cut(match.path);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& want = wanted[i];
      if (i >= given.size()) return {};
      if (want.ends_with("...}")) {
        tokens.push_back(9);
        return tokens;
      }
      const auto colon = want.find(':');
      if (!want.starts_with('{')) {
        if (want != given[i]) return {};
        tokens.push_back(1);
      } else if (given[i].empty()) {
        return {};
      } else if (colon != std::string::npos) {
        if (!full(want.substr(colon + 1, want.size() - colon - 2), given[i])) return {};
        tokens.push_back(2);
      } else {
        tokens.push_back(3);
      }
    }
    if (wanted.size() != given.size()) return {};
    tokens.push_back(0);
    return tokens;
  }

  static std::optional<std::string> header_of(const Request& request, const std::string& name) {
    for (const auto& [given, value] : request.headers) {
      if (given == name) return value;
    }
    return std::nullopt;
  }

  static std::optional<std::string> query_of(const Request& request, const std::string& name) {
    const auto mark = request.target.find('?');
    if (mark == std::string::npos) return std::nullopt;
    const auto text = '&' + request.target.substr(mark + 1) + '&';
    const auto at = text.find('&' + name + '=');
    if (at == std::string::npos) return std::nullopt;
    const auto begin = at + name.size() + 2;
    return text.substr(begin, text.find('&', begin) - begin);
  }

  static bool holds(const ValueCondition& condition, const std::optional<std::string>& value) {
    if (!value) return false;
    if (condition.test == ValueCondition::Test::present) return true;
    return condition.test == ValueCondition::Test::equals ? *value == condition.value
                                                          : full(condition.value, *value);
  }

  static bool conditions_hold(const Match& match, const Request& request) {
    const auto& methods = match.methods;
    if (!methods.empty() && std::find(methods.begin(), methods.end(), request.method) == methods.end())
      return false;
    if (match.host.starts_with("*.")) {
      const auto suffix = match.host.substr(1);
      if (!request.host.ends_with(suffix) || request.host.size() == suffix.size()) return false;
    } else if (!match.host.empty() && match.host != request.host) {
      return false;
    }
    if (!match.scheme.empty() && match.scheme != request.scheme) return false;
    for (const auto& condition : match.headers) {
      if (!holds(condition, header_of(request, condition.name))) return false;
    }
    for (const auto& condition : match.query) {
      if (!holds(condition, query_of(request, condition.name))) return false;
    }
    return true;
  }

  static bool implied(const std::vector<ValueCondition>& own, const ValueCondition& wanted) {
    for (const auto& condition : own) {
      if (condition.name != wanted.name) continue;
      if (condition == wanted || wanted.test == ValueCondition::Test::present) return true;
      if (condition.test == ValueCondition::Test::equals && holds(wanted, condition.value)) return true;
    }
    return false;
  }

  static bool narrower(const Match& a, const Match& b) {
    for (const auto& method : a.methods) {
      if (!b.methods.empty() &&
          std::find(b.methods.begin(), b.methods.end(), method) == b.methods.end())
        return false;
    }
    if (a.methods.empty() && !b.methods.empty()) return false;
    if (!b.scheme.empty() && a.scheme != b.scheme) return false;
    for (const auto& wanted : b.headers) {
      if (!implied(a.headers, wanted)) return false;
    }
    for (const auto& wanted : b.query) {
      if (!implied(a.query, wanted)) return false;
    }
    return true;
  }

  std::vector<RouteRule> rules_;
};

}  // namespace segue::routing
