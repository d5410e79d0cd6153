#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/settings.hpp"
#include "runtime/clock.hpp"

namespace segue::gateway {

// What is known of one endpoint's fitness, by all cores: one object of the process for each
// endpoint. Any thread, without locks; a request that goes well costs a few loads of what is hardly
// ever written. An endpoint is available when its active checks say so (or there are none) and it
// is not ejected for failing exchanges. When the time of an ejection is over, one request goes to
// it on trial: its answer ends the ejection, its failure begins a longer one.
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

  // How a request comes to an endpoint. The one on trial keeps all others out for `base`, in which
  // it should be answered.
  enum class Admission : std::uint8_t { refused, ordinary, trial };
  Admission admit(runtime::MonotonicNs now, const EjectionSettings& settings) noexcept {
    if (!available(now)) return Admission::refused;
    if (ejected_until_.load(std::memory_order_relaxed) == 0) return Admission::ordinary;
    return begin_trial(now, settings);
  }

  // An exchange was answered, whatever its status: failures and ejections are forgotten.
  void answered() noexcept {
    if (failures_.load(std::memory_order_relaxed) != 0 ||
        ejected_until_.load(std::memory_order_relaxed) != 0)
      forget();
  }
  // No connection, a reset before an answer, or no answer in time, of a request that was admitted
  // like this (ordinary as well where it was sent although nothing was available). True: this one
  // ejected it. While it is ejected only a failed trial prolongs that: what was sent before, or for
  // want of anything better, says nothing new.
  bool failed(runtime::MonotonicNs now, const EjectionSettings& settings,
              Admission admitted) noexcept;

  // Since the process began.
  std::uint64_t ejections() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  Admission begin_trial(runtime::MonotonicNs now, const EjectionSettings& settings) noexcept;
  void forget() noexcept;

  std::atomic<bool> checked_{true};
  std::atomic<std::uint32_t> failures_{0};   // in a row
  std::atomic<std::uint32_t> ejections_{0};  // in a row: each doubles the time
  // 0: not ejected. Otherwise it stays until an answer, also when the time has passed: the next
  // request is a trial.
  std::atomic<runtime::MonotonicNs> ejected_until_{0};
  std::atomic<std::uint64_t> total_{0};
};

// By backend index, by endpoint index. Made by the gateway before its cores, outlives them.
class FleetHealth {
 public:
  explicit FleetHealth(const std::vector<BackendSettings>& backends);
  EndpointHealth& of(std::size_t backend, std::size_t endpoint) noexcept {
    return backends_[backend][endpoint];
  }
  const EndpointHealth& of(std::size_t backend, std::size_t endpoint) const noexcept {
    return backends_[backend][endpoint];
  }

 private:
  std::vector<std::unique_ptr<EndpointHealth[]>> backends_;
};

}  // namespace segue::gateway
