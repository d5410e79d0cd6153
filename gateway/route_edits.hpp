#pragma once

#include <optional>

#include "gateway/http1/header_edits.hpp"
#include "gateway/settings.hpp"

namespace segue::gateway {

// The header rules of a route, prepared for one core. Immutable; null: the route has none.
class RouteEdits {
 public:
  explicit RouteEdits(const RouteTraffic& route) {
    prepare(request_, route.request_headers);
    prepare(response_, route.response_headers);
  }
  const http1::HeaderEdits* of_request() const noexcept { return request_ ? &*request_ : nullptr; }
  const http1::HeaderEdits* of_response() const noexcept {
    return response_ ? &*response_ : nullptr;
  }

 private:
  static void prepare(std::optional<http1::HeaderEdits>& edits, const HeaderRules& rules) {
    if (!rules.empty()) edits.emplace(rules.set, rules.remove);
  }

  std::optional<http1::HeaderEdits> request_;
  std::optional<http1::HeaderEdits> response_;
};

}  // namespace segue::gateway
