#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"
#include "recorder/redaction/body_redactor.hpp"
#include "recorder/redaction/route_rules.hpp"
#include "recorder/redaction/substitutes.hpp"

namespace segue::recorder {

// An exchange with everything hidden that a serialiser does not hide itself: header fields that
// are masked or dropped are still as they came. Valid until the redactor's next call.
struct Redacted {
  ExchangeView view;
  const Substitutes& substitutes;  // what was hidden, by part and rule
  bool account_hidden = false;     // a pattern found something in it: it must be hashed
  bool request_coding_undone = false;
  bool response_coding_undone = false;
};

// Makes redacted copies of exchanges for routes whose rules go beyond masked header fields. One a
// core, used by its thread only; its memory grows to what was needed and is reused, but for what is
// over a mebibyte.
class Redactor {
 public:
  // Without a key, hash and encrypt mask. `lane`: number of the core.
  Redactor(const std::optional<RedactionKey>& key, std::uint32_t lane);
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // The exchange, what it points to, and the rules must stay as long as the result is used.
  const Redacted& redact(const ExchangeView& exchange, const RouteRules& rules);

 private:
  struct Body {
    std::string content;
    std::string_view block;
    std::string codings;
  };

  std::string& fresh();
  std::string_view text(std::string_view value, Parameters parameters);
  // `header`: the name whose rule, if there is one, hides the value.
  std::string_view value_of(std::string_view header, std::string_view value, Parameters parameters);
  std::span<const Field> fields(std::span<const Field> from, std::vector<Field>& into);
  void decision(DecisionView& decision);
  void client(ClientView& client);
  bool body(BodyView& body, std::span<const Field> fields, Body& into);
  void account(std::string_view account_id);

  std::optional<Sealer> sealer_;
  Substitutes substitutes_;
  TextSearch search_;
  BodyRedactor bodies_;
  const RouteRules* rules_ = nullptr;
  Redacted redacted_;

  std::deque<std::string> texts_;  // strings keep their place
  std::size_t used_texts_ = 0;
  std::vector<Field> request_fields_, request_trailers_, response_fields_, response_trailers_;
  std::vector<Field> inputs_;
  std::vector<Parameter> parameters_;
  Body request_body_, response_body_;
};

}  // namespace segue::recorder
