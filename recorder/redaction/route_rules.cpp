#include "recorder/redaction/route_rules.hpp"

#include <algorithm>

namespace segue::recorder {
namespace {

std::vector<Rule> all_rules(const Redactions& redactions) {
  std::vector<Rule> rules;
  const auto add = [&rules](const char* list, const std::vector<Redaction>& entries) {
    for (const Redaction& entry : entries) rules.push_back({list + entry.name, entry.mode});
  };
  add("query:", redactions.query);
  add("json:", redactions.json);
  add("form:", redactions.form);
  for (const PatternRedaction& pattern : redactions.patterns)
    rules.push_back({"pattern:" + pattern.name, pattern.mode});
  return rules;
}

RuleIndex index(std::size_t n) {
  return static_cast<RuleIndex>(n);
}

}  // namespace

RouteRules::RouteRules(const Redactions& r)
    : headers(r.headers),
      rules(all_rules(r)),
      query(r.query, 0),
      json(r.json, index(r.query.size())),
      form(r.form, index(r.query.size() + r.json.size())),
      patterns(r.patterns, index(r.query.size() + r.json.size() + r.form.size())) {
  needs_redactor = !rules.empty() || std::ranges::any_of(headers.rules(), [](const auto& rule) {
    return rule.mode == RedactionMode::hash || rule.mode == RedactionMode::encrypt;
  });
}

}  // namespace segue::recorder
