#include "gateway/local_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace segue::gateway {
namespace {

struct Phrase {
  std::uint16_t status;
  const char* text;
};

// RFC 9110, 15, and what IANA added to it.
constexpr Phrase kPhrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

// The head of an answer with the fields that all have; the record's fields are views into it.
struct AnswerHead {
  AnswerHead(const Exchange& exchange, const LocalAnswer& answer, bool close)
      : date(exchange.worker.date.now()), length(std::to_string(answer.body.size())) {
    fields.push_back({"Date", date});
    fields.insert(fields.end(), answer.fields.begin(), answer.fields.end());
    // RFC 9110, 8.6: none with 204; with 304 it would be the length of another answer.
    if (answer.status != 204 && answer.status != 304) fields.push_back({"Content-Length", length});
    if (close)
      fields.push_back({"Connection", "close"});
    else if (exchange.request().version_minor == 0)
      fields.push_back({"Connection", "keep-alive"});
    text = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, reason_phrase(answer.status));
    for (const Field& field : fields)
      fmt::format_to(std::back_inserter(text), "{}: {}\r\n", field.name, field.value);
    text += "\r\n";
  }
  AnswerHead(const AnswerHead&) = delete;
  AnswerHead& operator=(const AnswerHead&) = delete;

  std::string date;
  std::string length;
  std::vector<Field> fields;
  std::string text;
};

// The exchange outlives the answer that it views.
void forget_answer(Exchange& exchange) {
  exchange.response_body.reset();
  const std::uint16_t status = exchange.response.status;
  exchange.response = {};
  exchange.response.status = status;
}

}  // namespace

const char* reason_phrase(std::uint16_t status) noexcept {
  const auto* const found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != std::end(kPhrases) && found->status == status ? found->text : "Status";
}

bool wants_html(const Exchange& exchange) {
  const auto accept = find_field(exchange.request().fields, "accept");
  return accept && accept->find("text/html") != std::string_view::npos;
}

bool LocalAnswer::has(std::string_view name) const noexcept {
  return std::any_of(fields.begin(), fields.end(), [name](const Field& field) {
    return http1::is_same_name(field.name, name);
  });
}

void add_route_headers(const Client& client, const Exchange& exchange, LocalAnswer& answer) {
  if (exchange.decision.route == nullptr) return;
  const auto* const edits = client.worker.edits[exchange.decision.route->index].of_response();
  if (edits == nullptr) return;
  const std::size_t own = answer.fields.size();
  for (const Field& field : edits->set(exchange.scheme)) {
    const bool is_said = std::any_of(
        answer.fields.begin(), answer.fields.begin() + static_cast<std::ptrdiff_t>(own),
        [&](const Field& said) { return http1::is_same_name(said.name, field.name); });
    if (!is_said) answer.fields.push_back(field);
  }
}

runtime::Task<Next> send(Client& client, Exchange& exchange, LocalAnswer& answer, Next next) {
  if (client.worker.draining() || !exchange.request().keep_alive)
    if (next == Next::keep_alive) next = Next::close;
  const bool with_body = exchange.request().method != "HEAD" && !answer.body.empty();
  AnswerHead head(exchange, answer, next != Next::keep_alive);
  exchange.response.status = answer.status;
  exchange.response.reason = reason_phrase(answer.status);
  exchange.response.fields = head.fields;
  exchange.response_body.reset();
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
    co_return Next::reset;
  }
  std::array<iovec, 2> pieces{iovec{head.text.data(), head.text.size()},
                              iovec{const_cast<char*>(answer.body.data()), answer.body.size()}};
  const auto patience = std::chrono::nanoseconds(client.worker.settings.limits.send_idle).count();
  const std::span<iovec> sent(pieces.data(), with_body ? 2 : 1);
  const runtime::Transfer written = co_await client.stream.write(sent, patience);
  count_finished(client, exchange);
  forget_answer(exchange);
  if (written.ec) ++client.worker.counters.client_aborts;
  co_return written.ec ? Next::close : next;
}

}  // namespace segue::gateway
