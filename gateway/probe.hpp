#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/settings.hpp"

namespace segue::gateway {

// What the probe listener answers from; each is called on its thread.
struct ProbeAnswers {
  struct Readiness {
    bool ready = false;
    std::string json;  // details, whatever the answer
  };
  std::function<Readiness()> readiness;
  std::function<std::string()> metrics;  // Prometheus text
};

// GET and HEAD /livez, /readyz, /startupz and /metrics, on a thread of its own: an orchestrator's
// questions cost the cores nothing but the copies of their counters. Connections that stall are
// closed. Throws StartupError when an address cannot be bound.
class ProbeListener {
 public:
  ProbeListener(const std::vector<ListenerSettings>& listeners, ProbeAnswers answers);
  ~ProbeListener();

  // Name and bound address of each probe listener.
  const std::vector<std::pair<std::string, std::string>>& addresses() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::gateway
