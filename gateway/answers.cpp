#include "gateway/answers.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace segue::gateway {
namespace {

constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

const char* reason_phrase(std::uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  gmtime_r(&now, &utc);
  std::array<char, 40> text;
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return std::string(text.data(), size);
}

bool wants_html(const Exchange& exchange) {
  const auto accept = find_field(exchange.request().fields, "accept");
  return accept && accept->find("text/html") != std::string_view::npos;
}

// One answer of our own, written once; the record's fields are views into it.
struct LocalAnswer {
  std::string date = http_date();
  std::string length;
  std::string body;
  std::string head;
  std::vector<Field> fields;

  void write_head(const Exchange& exchange, std::uint16_t status, bool close) {
    length = std::to_string(body.size());
    fields.insert(fields.begin(), Field{"Date", date});
    fields.push_back({"Content-Length", length});
    if (close)
      fields.push_back({"Connection", "close"});
    else if (exchange.request().version_minor == 0)
      fields.push_back({"Connection", "keep-alive"});
    head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
    for (const Field& field : fields)
      fmt::format_to(std::back_inserter(head), "{}: {}\r\n", field.name, field.value);
    head += "\r\n";
  }
};

enum class Sent : std::uint8_t { yes, failed, withheld };

Next after(Sent sent, Next next) {
  if (sent == Sent::withheld) return Next::reset;
  return sent == Sent::yes ? next : Next::close;
}

// The exchange outlives the answer that it views.
void forget_answer(Exchange& exchange) {
  exchange.response_body.reset();
  const std::uint16_t status = exchange.response.status;
  exchange.response = {};
  exchange.response.status = status;
}

// Records and sends; answers go out even where they cannot be recorded: there is nothing else to
// say instead. Where the record exists but is not as durable as promised, nothing is said.
runtime::Task<Sent> send(Client& client, Exchange& exchange, LocalAnswer& answer,
                         std::uint16_t status) {
  exchange.response.status = status;
  exchange.response.reason = reason_phrase(status);
  exchange.response.fields = answer.fields;
  exchange.response_body.reset();
  const bool with_body = exchange.request().method != "HEAD" && !answer.body.empty();
  if (with_body) {
    exchange.response_body.start(answer.body.size());
    exchange.response_body.borrow(answer.body);
  }
  const bool was_durable = exchange.durable;
  co_await record(client, exchange);
  if (was_durable && !exchange.durable) {
    ++client.worker.counters.unrecorded_resets;
    count_finished(client, exchange);
    forget_answer(exchange);
    co_return Sent::withheld;
  }
  std::array<iovec, 2> pieces{iovec{answer.head.data(), answer.head.size()},
                              iovec{answer.body.data(), answer.body.size()}};
  const auto patience = std::chrono::nanoseconds(client.worker.settings.limits.send_idle).count();
  const std::span<iovec> sent(pieces.data(), with_body ? 2 : 1);
  const runtime::Transfer written = co_await client.stream.write(sent, patience);
  count_finished(client, exchange);
  forget_answer(exchange);
  if (written.ec) ++client.worker.counters.client_aborts;
  co_return written.ec ? Sent::failed : Sent::yes;
}

}  // namespace

Refusal malformed(std::uint16_t status, const char* reason) noexcept {
  Refusal refusal{status, reason, "the request is not valid HTTP/1.1"};
  if (status == 414) {
    refusal.limit = "target";
    refusal.message = "the request target is longer than the gateway accepts";
  } else if (status == 431) {
    refusal.limit =
        std::string_view(reason).find("fields") != std::string_view::npos ? "fields" : "head";
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
  if (client.worker.draining() || !exchange.request().keep_alive)
    if (next == Next::keep_alive) next = Next::close;

  LocalAnswer answer;
  const std::string id = exchange.id.empty() ? std::string() : exchange.id.text();
  if (wants_html(exchange)) {
    answer.fields.push_back({"Content-Type", "text/html; charset=utf-8"});
    answer.body = fmt::format(
        "<!doctype html><title>{0} {1}</title><h1>{0} {1}</h1><p>{2}</p><p><small>{3} "
        "{4}</small></p>\n",
        refusal.status, reason_phrase(refusal.status), refusal.message, refusal.reason, id);
  } else {
    answer.fields.push_back({"Content-Type", "application/json"});
    answer.body = fmt::format(
        "{{\"error\":\"{}\",\"status\":{},\"message\":\"{}\",\"exchange_id\":\"{}\"}}\n",
        refusal.reason, refusal.status, refusal.message, id);
  }
  answer.fields.push_back({"Segue-Error", refusal.reason});
  if (refusal.status == 405) answer.fields.push_back({"Allow", kAllow});
  if (client.listener.exchange_id_header && !id.empty())
    answer.fields.push_back({"Segue-Exchange-Id", id});
  answer.write_head(exchange, refusal.status, next != Next::keep_alive);
  const Sent sent = co_await send(client, exchange, answer, refusal.status);
  co_return after(sent, next);
}

runtime::Task<Next> answer_options(Client& client, Exchange& exchange) {
  const Next next =
      client.worker.draining() || !exchange.request().keep_alive ? Next::close : Next::keep_alive;
  LocalAnswer answer;
  answer.fields.push_back({"Allow", kAllow});
  answer.write_head(exchange, 200, next != Next::keep_alive);
  const Sent sent = co_await send(client, exchange, answer, 200);
  co_return after(sent, next);
}

}  // namespace segue::gateway
