#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/settings.hpp"
#include "runtime/clock.hpp"

namespace segue::gateway {

// What is known of one endpoint's fitness, by all cores: one object of the process for each
// endpoint. Any thread; a request that goes well costs one load. An endpoint is available when its
// active checks say so (or there are none) and it is not ejected for failing exchanges.
class EndpointHealth {
 public:
  bool available(runtime::MonotonicNs now) const noexcept {
    return checked_.load(std::memory_order_relaxed) &&
           now >= ejected_until_.load(std::memory_order_relaxed);
  }
  // What the active checks say, apart from ejection.
  bool checked() const noexcept { return checked_.load(std::memory_order_relaxed); }
  // The verdict of active checks, after `healthy_after` or `unhealthy_after` of them.
  void set_checked(bool healthy) noexcept { checked_.store(healthy, std::memory_order_relaxed); }

  // An exchange was answered, whatever its status.
  void answered() noexcept;
  // No connection, a reset before an answer, or no answer in time. True: this one ejected it.
  bool failed(runtime::MonotonicNs now, const EjectionSettings& settings) noexcept;

 private:
  std::atomic<bool> checked_{true};
  std::atomic<std::uint32_t> failures_{0};   // in a row
  std::atomic<std::uint32_t> ejections_{0};  // in a row: each doubles the time
  std::atomic<runtime::MonotonicNs> ejected_until_{0};
};

// By backend index, by endpoint index. Made by the gateway before its cores, outlives them.
class FleetHealth {
 public:
  explicit FleetHealth(const std::vector<BackendSettings>& backends);
  EndpointHealth& of(std::size_t backend, std::size_t endpoint) noexcept {
    return backends_[backend][endpoint];
  }

 private:
  std::vector<std::unique_ptr<EndpointHealth[]>> backends_;
};

}  // namespace segue::gateway
