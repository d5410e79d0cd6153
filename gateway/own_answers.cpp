#include "gateway/own_answers.hpp"

#include <fmt/format.h>

#include "gateway/answers.hpp"
#include "gateway/http1/header_edits.hpp"
#include "gateway/local_answer.hpp"
#include "routing/location.hpp"

namespace segue::gateway {
namespace {

constexpr Refusal kNoHost{400, "missing_host",
                          "the request names no host, and the redirect needs one"};

// A URL holds neither quotes nor angle brackets: they are escaped in it.
std::string as_html(std::string_view url) {
  std::string text;
  for (const char c : url) {
    if (c == '&')
      text += "&amp;";
    else if (c == '\'')
      text += "&#39;";
    else
      text.push_back(c);
  }
  return text;
}

void add_id(const Client& client, std::string_view id, LocalAnswer& answer) {
  if (client.listener.exchange_id_header) answer.fields.push_back({"Segue-Exchange-Id", id});
}

// For people whose client does not follow.
void write_note(const Exchange& exchange, std::string_view location, LocalAnswer& answer) {
  if (wants_html(exchange)) {
    answer.fields.push_back({"Content-Type", "text/html; charset=utf-8"});
    answer.text = fmt::format(
        "<!doctype html><title>{0} {1}</title><h1>{0} {1}</h1><p><a href=\"{2}\">{2}</a></p>\n",
        answer.status, reason_phrase(answer.status), as_html(location));
  } else {
    answer.fields.push_back({"Content-Type", "application/json"});
    answer.text =
        fmt::format("{{\"status\":{},\"location\":\"{}\"}}\n", answer.status, location);
  }
  answer.fields.push_back({"Vary", "Accept"});
  answer.body = answer.text;
}

runtime::Task<Next> redirect(Client& client, Exchange& exchange, const RedirectSettings& settings,
                             Next next) {
  const http1::RequestHead& head = exchange.request();
  const HeadView view{head.method, exchange.scheme, head.authority, head.target, head.fields};
  const routing::LocationParts parts{settings.scheme, settings.host,
                                     exchange.decision.upstream_target};
  const auto location = routing::location_of(view, parts);
  if (!location) co_return co_await refuse(client, exchange, kNoHost, next);
  const std::string id = exchange.id.text();
  LocalAnswer answer(settings.status);
  answer.fields.push_back({"Location", *location});
  write_note(exchange, *location, answer);
  add_route_headers(client, exchange, answer);
  add_id(client, id, answer);
  co_return co_await send(client, exchange, answer, next);
}

// What a route says of its own answer is changed by its `response_headers` as a backend's would be.
void write_respond(const Client& client, const Exchange& exchange, const RespondSettings& settings,
                   LocalAnswer& answer) {
  const http1::HeaderEdits* const edits =
      client.worker.edits[exchange.decision.route->index].of_response();
  const auto add = [&](std::string_view name, std::string_view value) {
    if (exchange.scheme != "https" && http1::is_for_https_only(name)) return;
    if (edits == nullptr || !edits->drops(name)) answer.fields.push_back({name, value});
  };
  for (const auto& [name, value] : settings.headers) add(name, value);
  answer.body = settings.body;
  if (!answer.body.empty() && !answer.has("content-type"))
    add("Content-Type", "text/plain; charset=utf-8");
  add_route_headers(client, exchange, answer);
}

runtime::Task<Next> respond(Client& client, Exchange& exchange, const RespondSettings& settings,
                            Next next) {
  const std::string id = exchange.id.text();
  LocalAnswer answer(settings.status);
  write_respond(client, exchange, settings, answer);
  add_id(client, id, answer);
  co_return co_await send(client, exchange, answer, next);
}

}  // namespace

runtime::Task<Next> answer_route(Client& client, Exchange& exchange, Next next) {
  const RouteTraffic& route = client.worker.settings.route_traffic[exchange.decision.route->index];
  if (route.redirect) co_return co_await redirect(client, exchange, *route.redirect, next);
  co_return co_await respond(client, exchange, *route.respond, next);
}

}  // namespace segue::gateway
