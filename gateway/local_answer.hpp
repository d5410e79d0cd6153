#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/client.hpp"

namespace segue::gateway {

// "Not Found"; "Status" for a number that RFC 9110 does not know. Static text.
const char* reason_phrase(std::uint16_t status) noexcept;

// Whether the client names HTML in Accept.
bool wants_html(const Exchange& exchange);

// An answer that the gateway gives itself. Put together, then sent once with send(); the record
// views it, so it stays where it is until then.
struct LocalAnswer {
  explicit LocalAnswer(std::uint16_t answer_status) : status(answer_status) {}
  LocalAnswer(const LocalAnswer&) = delete;
  LocalAnswer& operator=(const LocalAnswer&) = delete;

  bool has(std::string_view name) const noexcept;

  std::uint16_t status;
  std::vector<Field> fields;  // but Date, Content-Length and Connection
  std::string text;           // memory for the body, where it needs some
  std::string_view body;      // empty: none
};

// Adds what the route of the exchange sets with `response_headers`, but for names that the answer
// itself says. Without a route, or rules, nothing.
void add_route_headers(const Client& client, const Exchange& exchange, LocalAnswer& answer);

// Records the exchange as it stands and sends the answer, also where it could not be recorded:
// there is nothing else to say instead. Where the record exists but is not as durable as promised,
// nothing is said and the connection is reset. `next`: what the session does then, as far as the
// client agrees; it comes back as what to do.
runtime::Task<Next> send(Client& client, Exchange& exchange, LocalAnswer& answer, Next next);

}  // namespace segue::gateway
