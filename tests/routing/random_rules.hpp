#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/routing/rules.hpp"

namespace segue::routing {

// Rules and requests from a small alphabet, so that routes meet, shadow and tie often.
class RandomRules {
 public:
  explicit RandomRules(std::uint64_t seed) : random_(seed) {}

  std::vector<RouteRule> rules() {
    std::vector<RouteRule> rules;
    const int count = 2 + below(10);
    for (int i = 0; i < count; ++i) rules.push_back(rule("r" + std::to_string(i), count));
    return rules;
  }

  Request request() {
    Request request;
    request.target = "/";
    for (int i = below(5); i > 0; --i)
      request.target += pick({"a", "b", "1", "42", "ab", "zz"}) + (i > 1 ? "/" : "");
    if (request.target != "/" && below(4) == 0) request.target += '/';
    if (below(2) == 0) request.target += "?q=" + pick({"1", "2", "x"});
    request.method = pick({"GET", "HEAD", "POST", "PURGE"});
    request.host = pick({"localhost", "a.example", "b.example", "c.b.example", "example"});
    if (below(2) == 0) request.headers.emplace_back("x-beta", pick({"1", "2", "abc"}));
    if (below(3) == 0) request.headers.emplace_back("x-team", pick({"1", "q"}));
    request.scheme = pick({"http", "https"});
    return request;
  }

  template <class T>
  void shuffle(std::vector<T>& list) {
    std::shuffle(list.begin(), list.end(), random_);
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  std::string pick(std::vector<std::string> list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }

  RouteRule rule(std::string name, int count) {
    RouteRule rule;
    rule.name = std::move(name);
    rule.to = pick({"legacy", "new"});
    rule.match.host = pick({"", "", "", "", "a.example", "*.example", "*.b.example"});
    add_path(rule.match);
    if (rule.match.form == PathForm::path && below(5) == 0)
      rule.trailing_slash = TrailingSlash::ignore;
    if (below(3) == 0) rule.match.methods = {"GET", "HEAD"};
    if (below(5) == 0) rule.match.methods = {"GET"};
    if (below(6) == 0) rule.match.methods.push_back("POST");
    if (below(3) == 0) rule.match.headers.push_back(condition("x-beta"));
    if (below(6) == 0) rule.match.headers.push_back(condition("x-team"));
    if (below(5) == 0) rule.match.query.push_back(condition("q"));
    if (below(10) == 0) rule.match.scheme = "https";
    if (below(5) == 0) rule.before.push_back("r" + std::to_string(below(count)));
    return rule;
  }

  void add_path(Match& match) {
    const int form = below(8);
    match.form = form == 0 ? PathForm::regex : form < 3 ? PathForm::prefix : PathForm::path;
    if (match.form == PathForm::regex) {
      match.under = pick({"/", "/a", "/a/b"});
      match.path = pick({"/a/.*", "/.*", "/[ab]+", "/a/[0-9]+", "/a(/b)?(/.*)?", ".*"});
      return;
    }
    match.path.clear();
    const int segments = below(4);
    for (int i = 0; i < segments; ++i) {
      match.path += '/';
      match.path += match.form == PathForm::prefix ? pick({"a", "b", "1"}) : segment(i);
    }
    if (match.form == PathForm::path && below(6) == 0) match.path += "/{rest...}";
    if (match.form == PathForm::path && segments > 0 && below(8) == 0 &&
        !match.path.ends_with("...}"))
      match.path += '/';
    if (match.path.empty()) match.path = "/";
  }

  std::string segment(int index) {
    const auto name = "p" + std::to_string(index);
    switch (below(6)) {
      case 0: return "{" + name + "}";
      case 1: return "{" + name + ":" + pick({"[0-9]+", "[a-z]+", ".*", "[a-z0-9]{2}"}) + "}";
      default: return pick({"a", "b", "1", "42"});
    }
  }

  ValueCondition condition(std::string name) {
    using Test = ValueCondition::Test;
    switch (below(4)) {
      case 0: return {std::move(name), Test::present, ""};
      case 1: return {std::move(name), Test::regex, pick({"[0-9]+", "[a-z]+", ".*"})};
      default: return {std::move(name), Test::equals, pick({"1", "2"})};
    }
  }

  std::mt19937_64 random_;
};

}  // namespace segue::routing
