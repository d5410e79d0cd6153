#pragma once

#include <boost/system/error_code.hpp>

namespace segue::gateway {

// The gateway itself has no descriptor or memory left for a connection: no other address, endpoint
// or backend could help.
bool is_out_of_means(const boost::system::error_code& ec) noexcept;

// What kept it from connecting lies on this side, and says nothing of the endpoint: is_out_of_means,
// or no port left for this address (connect(2), EADDRNOTAVAIL). Another address may have one.
bool is_of_this_side(const boost::system::error_code& ec) noexcept;

}  // namespace segue::gateway
