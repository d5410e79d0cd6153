#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/client.hpp"

namespace segue::gateway {

// An answer that the gateway gives itself. `reason` is the value of Segue-Error and of the metric
// label; `limit` is the key of the limit that was passed, or null. All text is static.
struct Refusal {
  std::uint16_t status;
  const char* reason;
  const char* message;
  const char* limit = nullptr;
};

// The refusal for a malformed head, by the parser's reason.
Refusal malformed(std::uint16_t status, const char* reason) noexcept;

// Records the exchange as refused (or with the outcome that it already has) and sends the answer,
// JSON or HTML by Accept. `next`: what the session does then, as far as the client agrees; it
// comes back as what to do.
runtime::Task<Next> refuse(Client& client, Exchange& exchange, const Refusal& refusal, Next next);

// Answers OPTIONS * and OPTIONS with Max-Forwards: 0 (RFC 9110, 9.3.7 and 7.6.2).
runtime::Task<Next> answer_options(Client& client, Exchange& exchange);

}  // namespace segue::gateway
