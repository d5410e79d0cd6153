#pragma once

#include <vector>

#include "runtime/tls_identity.hpp"
#include "runtime/tls_settings.hpp"
#include "runtime/tls_tickets.hpp"

namespace segue::runtime {

// What a listener's context needs beyond its certificates being good: which one is shown, what is
// asked of the client, what is spoken. The context keeps identities and keys as long as it lives,
// which is until the last session that was made from it has gone.
void set_up_server(SSL_CTX* context, const TlsServerSettings& settings,
                   std::vector<Identity> identities, const std::vector<X509Ptr>& client_authorities,
                   const TicketKeys& tickets);

}  // namespace segue::runtime
