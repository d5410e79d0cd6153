#include "gateway/worker.hpp"

#include <algorithm>

#include "exchange/ensure.hpp"
#include "gateway/exchange.hpp"
#include "gateway/session.hpp"
#include "gateway/shadow/shadows.hpp"
#include "gateway/upstream/health_checks.hpp"

namespace segue::gateway {
namespace {

constexpr std::size_t kKeptExchanges = 256;  // free ones; each keeps the memory it grew to

}  // namespace

Worker::Worker(runtime::Core& on, const GatewaySettings& all, CoreParts parts, CoreTls contexts,
               unsigned cores, Fleet& all_endpoints, AccessLogFile* log)
    : core(on),
      settings(all),
      routes(std::move(parts.routes)),
      recorder(std::move(parts.recorder)),
      tls(std::move(contexts)),
      fleet(all_endpoints),
      captures(std::max<std::size_t>(all.capture_memory / cores,
                                     recorder::CapturePool::kSmallBodyBytes)),
      max_sessions_(
          static_cast<std::size_t>(std::max<std::uint64_t>(1, all.limits.connections / cores))) {
  if (log != nullptr) access_log.emplace(core, settings.access_log.format, *log);
  const recorder::LanePromises promises = recorder->promises();
  if (promises.disk != nullptr) disk_.emplace(core, *promises.disk);
  if (promises.kafka != nullptr) kafka_.emplace(core, *promises.kafka);
  counters.routes.resize(routes->routes().size() + 1);
  counters.splits.resize(routes->routes().size());
  for (const RouteTraffic& route : settings.route_traffic) edits.emplace_back(route);
  counters.backends.resize(settings.backends.size());
  for (std::size_t i = 0; i < settings.backends.size(); ++i)
    upstreams.push_back(std::make_unique<Upstream>(
        core, buffers, settings.backends[i], tls.backends[i], counters.backends[i],
        UpstreamPlace{fleet, i, cores, Verdicts::given}));
  counters.fallbacks.resize(routes->routes().size());
  for (const BackendSettings& backend : settings.backends)
    retry_budgets.emplace_back(backend.retry_budget);
  health = HealthChecks::of(*this, cores);
  shadows = Shadows::of(*this, cores);
}

Worker::~Worker() = default;

PromiseWatch* Worker::promise_watch(recorder::RouteIndex route) noexcept {
  const recorder::Promise* const promise = recorder->promise(route);
  if (promise == nullptr) return nullptr;
  return promise == recorder->promises().disk ? &*disk_ : &*kafka_;
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  if (free_exchanges_.empty()) return std::make_unique<Exchange>(*this);
  auto exchange = std::move(free_exchanges_.back());
  free_exchanges_.pop_back();
  return exchange;
}

void Worker::give_exchange(std::unique_ptr<Exchange> exchange) noexcept {
  exchange->begin();
  if (free_exchanges_.size() < kKeptExchanges) free_exchanges_.push_back(std::move(exchange));
}

void Worker::enter(Session& session) {
  session.place_in_worker = sessions_.size();
  sessions_.push_back(&session);
  counters.connections_open = sessions_.size();
}

void Worker::leave(Session& session) noexcept {
  Session* last = sessions_.back();
  last->place_in_worker = session.place_in_worker;
  sessions_[session.place_in_worker] = last;
  sessions_.pop_back();
  counters.connections_open = sessions_.size();
}

std::size_t Worker::running() const noexcept {
  return tasks.size() + (shadows ? shadows->running() : 0) + (health ? health->running() : 0);
}

// Checks end with the first sign of the end: what they last said holds until then.
void Worker::drain() noexcept {
  draining_ = true;
  if (health) health->stop();
}

void Worker::close_idle() noexcept {
  drain();
  closing_ = true;
  const std::vector<Session*> now = sessions_;
  for (Session* session : now) session->close_if_idle();
}

void Worker::abort() noexcept {
  close_idle();
  const std::vector<Session*> now = sessions_;
  for (Session* session : now) session->abort();
  for (auto& upstream : upstreams) upstream->abort();
  if (shadows) shadows->abort();
  if (disk_) disk_->abort();
  if (kafka_) kafka_->abort();
}

Counters Worker::snapshot() const {
  Counters copy = counters;
  copy.tasks_failed = tasks.failed() + (shadows ? shadows->failed() : 0);
  copy.captures_cut = captures.cut_captures() + (shadows ? shadows->cut_captures() : 0);
  return copy;
}

}  // namespace segue::gateway
