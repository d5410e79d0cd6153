#pragma once

#include <utility>
#include <vector>

#include "gateway/notices.hpp"
#include "gateway/upstream/endpoint_health.hpp"
#include "gateway/upstream/name_resolver.hpp"

namespace segue::gateway {

// What all cores know of all endpoints. Made by the gateway before its cores, outlives them.
struct Fleet {
  explicit Fleet(const std::vector<BackendSettings>& backends,
                 NameResolver::Lookup lookup = NameResolver::ask_system)
      : health(backends), names(backends, std::move(lookup)) {}
  FleetHealth health;
  NameResolver names;
  Notices notices;  // of what changed
};

}  // namespace segue::gateway
