#include "cli/record_search.hpp"

#include <algorithm>
#include <string_view>

#include "cli/exchange_value.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <class Fields>
bool fields_contain(const Fields& fields, std::string_view part) {
  return std::ranges::any_of(fields, [part](const auto& field) {
    return contains(field.name(), part) || contains(field.value(), part);
  });
}

template <class Side>
bool side_contains(const Side& side, std::string_view part) {
  return fields_contain(side.fields(), part) || fields_contain(side.trailers(), part) ||
         contains(side.body().content(), part);
}

// The text in an exchange as a person sees it; octets between its fields are not searched.
bool exchange_contains(const v1::Exchange& exchange, std::string_view part) {
  const v1::Request& request = exchange.request();
  const v1::Decision& decision = exchange.decision();
  for (const std::string* text :
       {&request.target(), &request.method(), &request.authority(), &exchange.account_id(),
        &decision.route(), &decision.backend(), &exchange.refusal()})
    if (contains(*text, part)) return true;
  return side_contains(request, part) || side_contains(exchange.response(), part);
}

bool value_contains(std::string_view value, std::string_view part) {
  v1::Exchange exchange;
  if (decode_exchange(value, exchange)) return exchange_contains(exchange, part);
  return contains(value, part);
}

}  // namespace

bool is_key_of(std::string_view key, std::string_view account) {
  if (!key.starts_with(account)) return false;
  const std::string_view rest = key.substr(account.size());
  return rest.empty() || (rest.size() > 1 && rest.front() == '#' &&
                          rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

bool RecordSearch::matches(const kafka::TopicRecord& record) const {
  if (record.unix_millis >= until_millis) return false;
  if (key && (!record.key || !is_key_of(*record.key, *key))) return false;
  const bool headers_match = std::ranges::all_of(headers, [&record](const auto& wanted) {
    return std::ranges::any_of(record.headers, [&wanted](const auto& header) {
      return header.first == wanted.first && header.second == wanted.second;
    });
  });
  if (!headers_match) return false;
  return !value || (record.value && value_contains(*record.value, *value));
}

}  // namespace segue::cli
