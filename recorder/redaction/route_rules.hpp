#pragma once

#include <vector>

#include "recorder/redaction/header_rules.hpp"
#include "recorder/redaction/json_path.hpp"
#include "recorder/redaction/patterns.hpp"
#include "recorder/redaction/substitutes.hpp"
#include "recorder/redaction/text_search.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// `redact:` of one route, compiled. Immutable; one core's, because of its patterns.
struct RouteRules {
  // Paths and regular expressions were checked by the configuration.
  explicit RouteRules(const Redactions& redactions);

  HeaderRules headers;
  std::vector<Rule> rules;  // of query, json, form and patterns, in this order
  ParameterRules query;
  JsonPaths json;
  ParameterRules form;
  Patterns patterns;

  // False: header fields are masked or dropped and that is all, which the serialiser does itself.
  bool needs_redactor = false;

  TextRules text() const noexcept { return {query, form, patterns}; }
};

}  // namespace segue::recorder
