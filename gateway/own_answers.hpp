#pragma once

#include "gateway/client.hpp"

namespace segue::gateway {

// Answers a request whose route says `redirect` or `respond`; no backend hears of it. On record it
// is COMPLETED, with the route and without a backend. `next` as for refuse().
runtime::Task<Next> answer_route(Client& client, Exchange& exchange, Next next);

}  // namespace segue::gateway
