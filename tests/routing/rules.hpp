#pragma once

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {

// A rule for a test, written in one expression: rule("a", path("/x")).methods({"GET"}).
class RuleBuilder {
 public:
  RuleBuilder(std::string name, PathForm form, std::string path) {
    rule_.name = std::move(name);
    rule_.match.form = form;
    rule_.match.path = std::move(path);
    rule_.to = "legacy";
  }
  RuleBuilder&& methods(std::vector<std::string> methods) && {
    rule_.match.methods = std::move(methods);
    return std::move(*this);
  }
  RuleBuilder&& host(std::string host) && {
    rule_.match.host = std::move(host);
    return std::move(*this);
  }
  RuleBuilder&& header(std::string name, std::string value) && {
    rule_.match.headers.push_back({std::move(name), ValueCondition::Test::equals, std::move(value)});
    return std::move(*this);
  }
  RuleBuilder&& header_present(std::string name) && {
    rule_.match.headers.push_back({std::move(name), ValueCondition::Test::present, ""});
    return std::move(*this);
  }
  RuleBuilder&& header_regex(std::string name, std::string value) && {
    rule_.match.headers.push_back({std::move(name), ValueCondition::Test::regex, std::move(value)});
    return std::move(*this);
  }
  RuleBuilder&& query(std::string name, std::string value) && {
    rule_.match.query.push_back({std::move(name), ValueCondition::Test::equals, std::move(value)});
    return std::move(*this);
  }
  RuleBuilder&& query_present(std::string name) && {
    rule_.match.query.push_back({std::move(name), ValueCondition::Test::present, ""});
    return std::move(*this);
  }
  RuleBuilder&& scheme(std::string scheme) && {
    rule_.match.scheme = std::move(scheme);
    return std::move(*this);
  }
  RuleBuilder&& under(std::string under) && {
    rule_.match.under = std::move(under);
    return std::move(*this);
  }
  RuleBuilder&& to(std::string backend) && {
    rule_.to = std::move(backend);
    return std::move(*this);
  }
  RuleBuilder&& split(double new_percent, std::string key) && {
    rule_.to.clear();
    rule_.split = Split{static_cast<std::uint16_t>(new_percent * 100), *KeySource::parse(key),
                        false, ""};
    return std::move(*this);
  }
  RuleBuilder&& rewrite_prefix(std::string to) && {
    rule_.rewrite = {RewriteForm::prefix, std::move(to)};
    return std::move(*this);
  }
  RuleBuilder&& rewrite_path(std::string to) && {
    rule_.rewrite = {RewriteForm::path, std::move(to)};
    return std::move(*this);
  }
  RuleBuilder&& before(std::vector<std::string> others) && {
    rule_.before = std::move(others);
    return std::move(*this);
  }
  RuleBuilder&& ignore_slash() && {
    rule_.trailing_slash = TrailingSlash::ignore;
    return std::move(*this);
  }
  RuleBuilder&& account(std::string_view key) && {
    rule_.account = *KeySource::parse(key);
    return std::move(*this);
  }
  RuleBuilder&& shadow(std::string to, std::string writes = "") && {
    rule_.shadow = ShadowRule{std::move(to), std::move(writes)};
    return std::move(*this);
  }
  RuleBuilder&& fallback(std::string backend) && {
    rule_.fallback = std::move(backend);
    return std::move(*this);
  }
  // Empty parts stay as the request says them.
  RuleBuilder&& redirect(std::string scheme, std::string host, std::string path,
                         std::uint16_t status = 308) && {
    rule_.to.clear();
    rule_.action = RouteAction::redirect;
    rule_.redirect_scheme = std::move(scheme);
    rule_.redirect_host = std::move(host);
    rule_.redirect_path = std::move(path);
    rule_.answer_status = status;
    return std::move(*this);
  }
  RuleBuilder&& respond(std::uint16_t status) && {
    rule_.to.clear();
    rule_.action = RouteAction::respond;
    rule_.answer_status = status;
    return std::move(*this);
  }
  operator RouteRule() && { return std::move(rule_); }  // NOLINT: reads as a rule

 private:
  RouteRule rule_;
};

inline RuleBuilder path(std::string name, std::string path) {
  return {std::move(name), PathForm::path, std::move(path)};
}
inline RuleBuilder prefix(std::string name, std::string path) {
  return {std::move(name), PathForm::prefix, std::move(path)};
}
inline RuleBuilder regex(std::string name, std::string expression) {
  return {std::move(name), PathForm::regex, std::move(expression)};
}

inline const std::vector<BackendRule>& two_backends() {
  static const std::vector<BackendRule> backends{{"legacy", "legacy"}, {"new", "new"}};
  return backends;
}

inline CompileResult compile(const std::vector<RouteRule>& rules) {
  return RouteTable::compile(rules, two_backends());
}

// A table that must compile; its problems fail the test.
inline std::unique_ptr<const RouteTable> table_of(const std::vector<RouteRule>& rules) {
  auto result = compile(rules);
  for (const auto& problem : result.problems)
    UNSCOPED_INFO(problem.code << ' ' << problem.key << ": " << problem.message);
  REQUIRE(result.table != nullptr);
  return std::move(result.table);
}

// A request with memory of its own.
struct Request {
  std::string target = "/";
  std::string method = "GET";
  std::string host = "localhost";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string scheme = "http";
  std::string peer = "192.0.2.1";
};

// One decision with everything its views point into.
class Decided {
 public:
  Decided(const RouteTable& table, Request request) : request_(std::move(request)) {
    for (const auto& [name, value] : request_.headers) fields_.push_back({name, value});
    const HeadView head{request_.method, request_.scheme, request_.host, request_.target, fields_};
    decision_ = table.decide(head, Peer{request_.peer}, scratch_);
  }
  Decided(const Decided&) = delete;
  Decided& operator=(const Decided&) = delete;
  const Decision* operator->() const { return &decision_; }

  // The route's name, or what the gateway answers instead: "404", "400 confusion", "400 target".
  std::string answer() const {
    switch (decision_.verdict) {
      case Decision::Verdict::routed: return decision_.route->name;
      case Decision::Verdict::no_route: return "404";
      case Decision::Verdict::path_confusion: return "400 confusion";
      case Decision::Verdict::bad_target: return "400 target";
    }
    return "";
  }
  std::string parameter(std::string_view name) const {
    for (const auto& parameter : decision_.parameters) {
      if (parameter.name == name) return std::string(parameter.value);
    }
    return "(none)";
  }

 private:
  Request request_;
  std::vector<Field> fields_;
  Scratch scratch_;
  Decision decision_;
};

inline std::string answer(const RouteTable& table, Request request) {
  return Decided(table, std::move(request)).answer();
}

}  // namespace segue::routing
