#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exchange/head.hpp"

namespace segue::routing {

// The host of an authority, which may have a port behind it.
std::string_view without_port(std::string_view authority) noexcept;

// What a redirect replaces of the request's own URL; empty parts stay.
struct LocationParts {
  std::string_view scheme;
  std::string_view host;    // with a port where one is wanted
  std::string_view target;  // path and query, as Decision::upstream_target
};

// The URL that a redirect sends the client to (RFC 9110, 10.2.2): only bytes that RFC 3986 allows,
// the others escaped. Where the scheme changes, the port of the request is left out, for no port
// speaks both. Without any host it is a path; nullopt when there is none and the scheme changes.
std::optional<std::string> location_of(const HeadView& head, const LocationParts& parts);

}  // namespace segue::routing
