#pragma once

#include <string_view>

namespace segue::gateway::http1 {

// Whether a field of that name (in any case) may stand in trailers that are passed on, where a list
// allows it. Never what frames, routes or authenticates a message, says what its content is, or
// means one connection alone (RFC 9110, 6.5.1): who merges trailers into the fields would act on
// it too late. Nor what the gateway or a proxy before it vouches for, in any spelling. False for
// what is no name.
bool may_be_trailer(std::string_view name) noexcept;

}  // namespace segue::gateway::http1
