#include "gateway/shadow/shadows.hpp"

#include <algorithm>
#include <new>

#include "exchange/ensure.hpp"
#include "gateway/afterwards.hpp"
#include "gateway/client.hpp"
#include "gateway/shadow/shadow_call.hpp"

namespace segue::gateway {
namespace {

constexpr std::uint32_t kDraws = 10'000;  // hundredths of a percent

// 0 to 9999, from 32 of the random bits of an id: the same exchange is drawn wherever it is asked.
std::uint32_t draw_of(const ExchangeId& id) noexcept {
  std::uint64_t bits = 0;
  for (const char byte : id.raw().substr(ExchangeId::kBytes - 4))
    bits = bits << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::uint32_t>(bits * kDraws >> 32);
}

// Known to abort() while it runs.
class Running {
 public:
  Running(std::vector<ShadowCall*>& calls, ShadowCall& call) : calls_(calls), call_(call) {
    calls_.push_back(&call_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { std::erase(calls_, &call_); }

 private:
  std::vector<ShadowCall*>& calls_;
  ShadowCall& call_;
};

}  // namespace

std::unique_ptr<Shadows> Shadows::of(Worker& worker, unsigned cores) {
  const auto& shadows = worker.settings.shadows;
  const bool any =
      std::ranges::any_of(shadows, [](const auto& route) { return route.has_value(); });
  return any ? std::make_unique<Shadows>(worker, cores) : nullptr;
}

Shadows::Shadows(Worker& worker, unsigned cores)
    : worker_(worker), captures_(static_cast<std::size_t>(worker.settings.capture_memory / cores)) {
  const GatewaySettings& settings = worker.settings;
  worker.counters.shadows.resize(settings.shadows.size());
  worker.counters.shadow_backends.resize(settings.backends.size());
  std::uint64_t in_flight = 0;
  for (std::size_t i = 0; i < settings.shadows.size(); ++i) {
    ShadowBudget& budget = budgets_.emplace_back();
    if (!settings.shadows[i]) continue;
    budget.settings = &*settings.shadows[i];
    budget.max_in_flight = std::max<std::uint64_t>(1, budget.settings->max_in_flight / cores);
    budget.max_held_bytes = budget.max_in_flight * budget.settings->max_body_bytes;
    in_flight += budget.settings->max_in_flight;
    budget.counts = &worker.counters.shadows[i];
  }
  // More connections than copies can use would only take a small backend's workers.
  backends_ = settings.backends;
  for (BackendSettings& backend : backends_) {
    const std::uint64_t endpoints = backend.endpoints.size();
    backend.max_connections =
        std::min(backend.max_connections, (in_flight + endpoints - 1) / endpoints);
  }
  for (std::size_t i = 0; i < backends_.size(); ++i)
    upstreams_.push_back(std::make_unique<Upstream>(
        worker.core, buffers_, backends_[i], worker.tls.backends[i],
        worker.counters.shadow_backends[i], UpstreamPlace{worker.fleet, i, cores, Verdicts::heard}));
}

Shadows::~Shadows() = default;

std::optional<ShadowResult> Shadows::reason_to_skip(const Exchange& exchange,
                                                    const ShadowSettings& settings,
                                                    std::uint32_t draw) const noexcept {
  using Wanted = routing::Decision::Shadow;
  const Wanted wanted = exchange.decision.shadow;
  const http1::RequestHead& head = exchange.request();
  if (wanted == Wanted::unsafe_method) return ShadowResult::skipped_method;
  if (wanted == Wanted::same_backend) return ShadowResult::skipped_same_backend;
  if (worker_.draining()) return ShadowResult::skipped_draining;
  if (draw >= settings.share) return ShadowResult::skipped_sampling;
  if (head.framing == http1::Framing::length && head.content_length > settings.max_body_bytes)
    return ShadowResult::skipped_body_size;
  if (worker_.recorder->scarce()) return ShadowResult::skipped_journal;
  return std::nullopt;
}

void Shadows::plan(Exchange& exchange) noexcept {
  const std::uint32_t route = exchange.decision.route->index;
  ensure(route < budgets_.size() && budgets_[route].settings != nullptr,
         "a route that shadows has settings for it");
  ShadowBudget& budget = budgets_[route];
  const std::uint32_t draw = draw_of(exchange.id);
  std::optional<ShadowResult> skipped = reason_to_skip(exchange, *budget.settings, draw);
  if (!skipped) {
    exchange.shadow.reset(new (std::nothrow)
                              Shadow(budget, buffers_, exchange.decision.shadow_backend));
    if (exchange.shadow == nullptr)
      skipped = ShadowResult::skipped_in_flight;  // no memory for more
  }
  if (skipped) {
    ++budget.counts->shadows[static_cast<std::size_t>(*skipped)];
    exchange.shadow_note = name_of(*skipped);
    return;
  }
  // What it stays unless the exchange comes to its end.
  exchange.shadow_note = name_of(ShadowResult::skipped_incomplete);
  if (draw < budget.settings->control_share && !exchange.unsafe()) exchange.shadow->repeat();
}

void Shadows::launch(const Client& client, Exchange& exchange, std::string_view rest) noexcept {
  std::unique_ptr<Shadow> shadow = std::move(exchange.shadow);
  const bool on_record = worker_.recorder->settings(exchange.route_index()).enabled;
  if (on_record && !exchange.recorded) return shadow->settle(ShadowResult::skipped_unrecorded);
  try {
    shadow->take(client, exchange, rest);
    tasks_.spawn(run(std::move(shadow)));
  } catch (const std::bad_alloc&) {
    return;  // it is an error by now
  }
}

std::optional<ShadowResult> Shadows::reason_not_to_repeat() const noexcept {
  if (worker_.draining()) return ShadowResult::skipped_draining;
  if (worker_.recorder->scarce()) return ShadowResult::skipped_journal;
  return std::nullopt;
}

runtime::Task<void> Shadows::run(std::unique_ptr<Shadow> shadow) {
  Afterwards turn(worker_.core);
  co_await turn;
  const ShadowResult result = co_await call(*shadow, Kind::shadow);
  shadow->settle(result);
  if (!shadow->repeated()) co_return;
  if (const auto skipped = reason_not_to_repeat()) co_return shadow->settle_control(*skipped);
  const ShadowResult repeated = co_await call(*shadow, Kind::control);
  shadow->settle_control(repeated);
}

runtime::Task<ShadowResult> Shadows::call(const Shadow& shadow, Kind kind) {
  const ShadowCall::Means means{worker_, *upstreams_[shadow.backend(kind)], captures_};
  ShadowCall one(means, shadow, kind);
  const Running known(calls_, one);
  if (aborted_) one.abort();
  co_return co_await one.run();
}

void Shadows::abort() noexcept {
  aborted_ = true;
  for (ShadowCall* call : calls_) call->abort();
  for (const auto& upstream : upstreams_) upstream->abort();
}

}  // namespace segue::gateway
