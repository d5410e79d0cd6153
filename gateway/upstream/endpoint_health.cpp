#include "gateway/upstream/endpoint_health.hpp"

#include <algorithm>

namespace segue::gateway {
namespace {

using runtime::MonotonicNs;

constexpr std::uint32_t kDoublings = 20;  // more than any `max` needs, and no overflow

std::chrono::milliseconds time_out(const EjectionSettings& settings, std::uint32_t before) {
  const auto longer = settings.base * (std::int64_t{1} << std::min(before, kDoublings));
  return std::min(longer, std::max(settings.base, settings.max));
}

}  // namespace

// Whoever moves the time wins: for all others the endpoint is as ejected as it was.
EndpointHealth::Admission EndpointHealth::begin_trial(MonotonicNs now,
                                                      const EjectionSettings& settings) noexcept {
  MonotonicNs until = ejected_until_.load(std::memory_order_relaxed);
  if (until == 0) return Admission::ordinary;  // an answer came meanwhile
  if (now < until) return Admission::refused;
  const bool won = ejected_until_.compare_exchange_strong(
      until, runtime::after(now, settings.base), std::memory_order_relaxed);
  return won ? Admission::trial : Admission::refused;
}

void EndpointHealth::forget() noexcept {
  ejections_.store(0, std::memory_order_relaxed);
  failures_.store(0, std::memory_order_relaxed);
  ejected_until_.store(0, std::memory_order_relaxed);
}

bool EndpointHealth::failed(MonotonicNs now, const EjectionSettings& settings,
                            Admission admitted) noexcept {
  if (settings.after == 0) return false;
  const std::uint32_t failures = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  MonotonicNs until = ejected_until_.load(std::memory_order_relaxed);
  if (admitted != Admission::trial) {
    if (now < until) return false;
    // A request that came after the time of an ejection counts as its trial.
    if (until == 0 && failures < settings.after) return false;
  }
  const std::uint32_t before = ejections_.load(std::memory_order_relaxed);
  const MonotonicNs next = runtime::after(now, time_out(settings, before));
  // Several that fail at once eject it once.
  if (!ejected_until_.compare_exchange_strong(until, next, std::memory_order_relaxed)) return false;
  ejections_.store(before + 1, std::memory_order_relaxed);
  total_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

FleetHealth::FleetHealth(const std::vector<BackendSettings>& backends) {
  for (const BackendSettings& backend : backends)
    backends_.push_back(std::make_unique<EndpointHealth[]>(backend.endpoints.size()));
}

}  // namespace segue::gateway
