#pragma once

#include <vector>

#include "tests/routing/rules.hpp"

namespace segue::routing {

// The table of the manual: a PHP monolith moves to Go.
inline std::vector<RouteRule> example_rules() {
  return {
      prefix("catch-all", "/").account("cookie:uid"),
      path("search-create", "/searches").methods({"POST"}).account("cookie:uid"),
      path("search-read", "/searches/{id:[0-9]+}")
          .methods({"GET", "HEAD"})
          .split(10, "cookie:uid")
          .account("cookie:uid"),
      path("search-beta", "/searches/{id:[0-9]+}")
          .methods({"GET", "HEAD"})
          .header("x-beta", "1")
          .to("new"),
      prefix("geo", "/geo").to("new").rewrite_prefix("/v1/geo"),
      prefix("exports", "/exports"),
  };
}

}  // namespace segue::routing
