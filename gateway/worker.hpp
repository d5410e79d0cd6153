#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exchange/id.hpp"
#include "gateway/access_log.hpp"
#include "gateway/core_tls.hpp"
#include "gateway/counters.hpp"
#include "gateway/http_date.hpp"
#include "gateway/promise_watch.hpp"
#include "gateway/route_edits.hpp"
#include "gateway/settings.hpp"
#include "gateway/upstream/retry_budget.hpp"
#include "gateway/upstream/upstream.hpp"
#include "recorder/capture.hpp"
#include "recorder/recorder.hpp"
#include "routing/route_table.hpp"
#include "runtime/buffer.hpp"
#include "runtime/core.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

class Exchange;
class HealthChecks;
class Session;
class Shadows;

// What the whole gateway obeys; the same object for all cores, constant while they run.
struct GatewaySettings {
  std::vector<ListenerSettings> listeners;
  Limits limits;
  DrainSettings drain;
  AccessLogSettings access_log;
  std::vector<BackendSettings> backends;
  std::vector<RouteTimeouts> route_timeouts;  // by route index
  std::vector<RouteTraffic> route_traffic;    // by route index
  std::vector<std::optional<ShadowSettings>> shadows;  // by route index; none: the route has no shadow
  std::uint64_t capture_memory = 64 << 20;
  std::string via = "segue";
};

// What a core gets of its own.
struct CoreParts {
  std::unique_ptr<const routing::RouteTable> routes;
  std::unique_ptr<recorder::Recorder> recorder;
};

// The world of one core: everything its sessions share. Made and destroyed by the main thread while
// the core's thread does not run; used by the core only.
class Worker {
 public:
  // `fleet` outlives it. `access_log` null: none is written.
  Worker(runtime::Core& core, const GatewaySettings& settings, CoreParts parts, CoreTls tls,
         unsigned cores, Fleet& fleet, AccessLogFile* access_log);
  ~Worker();

  // Takes an exchange's memory from the free list, or makes some; warm ones do not allocate.
  std::unique_ptr<Exchange> take_exchange();
  void give_exchange(std::unique_ptr<Exchange> exchange) noexcept;

  // Sessions enter when they start and leave when they end.
  void enter(Session& session);
  void leave(Session& session) noexcept;
  std::size_t sessions() const noexcept { return sessions_.size(); }
  // Tasks that are not over: listeners, sessions, shadows, health checks.
  std::size_t running() const noexcept;
  std::size_t max_sessions() const noexcept { return max_sessions_; }

  // Running and further exchanges end with Connection: close; health checks end.
  void drain() noexcept;
  bool draining() const noexcept { return draining_; }
  // Idle connections, of clients and to backends, are closed; running exchanges are finished.
  void close_idle() noexcept;
  bool closing() const noexcept { return closing_; }
  // Cuts what is left.
  void abort() noexcept;

  // Where an exchange of the route waits behind its append; null: nowhere.
  PromiseWatch* promise_watch(recorder::RouteIndex route) noexcept;

  // A copy, gauges and what parts count themselves filled in.
  Counters snapshot() const;

  runtime::Core& core;
  const GatewaySettings& settings;
  const std::unique_ptr<const routing::RouteTable> routes;
  const std::unique_ptr<recorder::Recorder> recorder;
  CoreTls tls;
  Fleet& fleet;
  runtime::BufferPool buffers;
  recorder::CapturePool captures;
  ExchangeIdSource ids;
  HttpDate date;
  std::optional<AccessLog> access_log;
  Counters counters;
  std::vector<RouteEdits> edits;                     // by route index
  std::vector<std::unique_ptr<Upstream>> upstreams;  // by backend index
  std::vector<RetryBudget> retry_budgets;            // by backend index
  std::unique_ptr<HealthChecks> health;              // null: this core checks no endpoint
  std::unique_ptr<Shadows> shadows;                  // null: no route has a shadow
  runtime::TaskGroup tasks;                          // sessions; ends before what they use

 private:
  std::optional<PromiseWatch> disk_;
  std::optional<PromiseWatch> kafka_;
  std::size_t max_sessions_;
  bool draining_ = false;
  bool closing_ = false;
  std::vector<Session*> sessions_;
  std::vector<std::unique_ptr<Exchange>> free_exchanges_;
};

}  // namespace segue::gateway
