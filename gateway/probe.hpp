#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/listening/listening_sockets.hpp"

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
// closed.
class ProbeListener {
 public:
  // Accepts from duplicates of the sockets of all probe listeners.
  ProbeListener(const ListeningSockets& sockets, ProbeAnswers answers);
  ~ProbeListener();

  // No more connections are accepted once this returns; those that are there get one more answer
  // each.
  void leave();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::gateway
