#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/tls.hpp"

namespace segue::gateway {

// The TLS contexts of one core. A context keeps its address for as long as the core lives: what
// is replaced is what it holds, and sessions that were made from that go on.
struct CoreTls {
  std::vector<std::optional<runtime::TlsContext>> listeners;  // by listener; none: plain
  std::vector<std::optional<runtime::TlsContext>> backends;   // by backend; none: plain

  // On the core. Where `fresh` has none, the old one stays.
  void replace(CoreTls fresh) {
    for (std::size_t i = 0; i < listeners.size(); ++i)
      if (fresh.listeners[i]) *listeners[i] = std::move(*fresh.listeners[i]);
    for (std::size_t i = 0; i < backends.size(); ++i)
      if (fresh.backends[i]) *backends[i] = std::move(*fresh.backends[i]);
  }
};

}  // namespace segue::gateway
