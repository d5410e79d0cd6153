#include "gateway/answers.hpp"

#include <fmt/format.h>

#include "gateway/local_answer.hpp"

namespace segue::gateway {
namespace {

constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

}  // namespace

Refusal malformed(std::uint16_t status, const char* reason) noexcept {
  Refusal refusal{status, reason, "the request is not valid HTTP/1.1"};
  if (status == 414) {
    refusal.limit = "target";
    refusal.message = "the request target is longer than the gateway accepts";
  } else if (status == 431) {
    refusal.limit = std::string_view(reason) == "head_too_large" ? "head" : "fields";
    refusal.message = "the request head is larger than the gateway accepts";
  } else if (status == 405) {
    refusal.message = "the method is not allowed through this gateway";
  } else if (status == 417) {
    refusal.message = "the expectation cannot be met; only 100-continue is known";
  } else if (status >= 500) {
    refusal.message = "the gateway does not implement what the request asks for";
  }
  return refusal;
}

runtime::Task<Next> refuse(Client& client, Exchange& exchange, const Refusal& refusal, Next next) {
  Counters& counters = client.worker.counters;
  counters.refused.add(refusal.reason);
  if (refusal.limit != nullptr) counters.limits.add(refusal.limit);
  if (exchange.outcome == Outcome::completed) {
    exchange.outcome = Outcome::refused;
    exchange.refusal = refusal.reason;
  }
  LocalAnswer answer(refusal.status);
  const std::string id = exchange.id.empty() ? std::string() : exchange.id.text();
  if (wants_html(exchange)) {
    answer.fields.push_back({"Content-Type", "text/html; charset=utf-8"});
    answer.text = fmt::format(
        "<!doctype html><title>{0} {1}</title><h1>{0} {1}</h1><p>{2}</p><p><small>{3} "
        "{4}</small></p>\n",
        refusal.status, reason_phrase(refusal.status), refusal.message, refusal.reason, id);
  } else {
    answer.fields.push_back({"Content-Type", "application/json"});
    answer.text = fmt::format(
        "{{\"error\":\"{}\",\"status\":{},\"message\":\"{}\",\"exchange_id\":\"{}\"}}\n",
        refusal.reason, refusal.status, refusal.message, id);
  }
  answer.body = answer.text;
  answer.fields.push_back({"Segue-Error", refusal.reason});
  if (refusal.status == 405) answer.fields.push_back({"Allow", kAllow});
  if (client.listener.exchange_id_header && !id.empty())
    answer.fields.push_back({"Segue-Exchange-Id", id});
  add_route_headers(client, exchange, answer);
  co_return co_await send(client, exchange, answer, next);
}

runtime::Task<Next> answer_options(Client& client, Exchange& exchange) {
  LocalAnswer answer(200);
  answer.fields.push_back({"Allow", kAllow});
  co_return co_await send(client, exchange, answer, Next::keep_alive);
}

}  // namespace segue::gateway
