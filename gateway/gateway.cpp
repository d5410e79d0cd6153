#include "gateway/gateway.hpp"

#include <sys/resource.h>

#include "exchange/ensure.hpp"
#include "gateway/health_checks.hpp"

namespace segue::gateway {
namespace {

// Each connection is a descriptor; the soft limit of 1024 is a trap.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

// Declared in the order of use: the core outlives its worker, the worker its listeners.
struct Gateway::CoreWorld {
  CoreWorld(unsigned index, const GatewaySettings& settings, CoreParts parts, CoreTls tls,
            unsigned cores, Fleet& fleet, AccessLogFile* access_log)
      : core(index),
        worker(core, settings, std::move(parts), std::move(tls), cores, fleet, access_log) {}

  runtime::Core core;
  Worker worker;
  std::vector<std::unique_ptr<Listener>> listeners;
};

Gateway::Gateway(GatewaySettings settings, std::vector<CoreParts> parts)
    : settings_(std::move(settings)), credentials_(settings_), fleet_(settings_.backends) {
  raise_descriptor_limit();
  const auto cores = static_cast<unsigned>(parts.size());
  ensure(cores > 0, "a gateway has a core");
  if (settings_.access_log.format != AccessLogFormat::off)
    access_log_.emplace(settings_.access_log.path);
  for (unsigned i = 0; i < cores; ++i)
    worlds_.push_back(std::make_unique<CoreWorld>(i, settings_, std::move(parts[i]),
                                                  credentials_.make(), cores, fleet_,
                                                  access_log_ ? &*access_log_ : nullptr));
  for (const ListenerSettings& listener : settings_.listeners)
    trusted_.push_back(std::make_unique<TrustedPeers>(listener.trusted_proxies));
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    const ListenerSettings& listener = settings_.listeners[i];
    if (listener.kind != ListenerKind::public_) continue;
    BoundAddress bound = bind_listener(listener, cores);
    addresses_.emplace_back(listener.name, bound.text);
    for (unsigned core = 0; core < cores; ++core) {
      Worker& worker = worlds_[core]->worker;
      const auto& tls = worker.tls.listeners[i];
      worlds_[core]->listeners.push_back(std::make_unique<Listener>(
          worker, listener, tls ? &*tls : nullptr, *trusted_[i], std::move(bound.sockets[core])));
    }
  }
}

Gateway::~Gateway() {
  for (auto& world : worlds_) {
    world->core.stop();
    world->core.join();
  }
}

void Gateway::start(Pinning pinning) {
  for (auto& world : worlds_) {
    CoreWorld* here = world.get();
    here->core.post([here] {
      if (here->worker.health) here->worker.health->start();
      for (auto& listener : here->listeners) here->worker.tasks.spawn(listener->run());
    });
    here->core.start(pinning == Pinning::on ? static_cast<int>(here->core.index()) : -1);
  }
}

template <class Call>
void Gateway::on_each(Call call) {
  for (auto& world : worlds_) {
    CoreWorld* here = world.get();
    here->core.ask([here, &call] { call(*here); });
  }
}

void Gateway::drain() {
  on_each([](CoreWorld& world) { world.worker.drain(); });
}

void Gateway::close() {
  on_each([](CoreWorld& world) {
    for (auto& listener : world.listeners) listener->close();
    world.worker.close_idle();
  });
}

void Gateway::abort() {
  on_each([](CoreWorld& world) { world.worker.abort(); });
}

std::size_t Gateway::running() {
  std::size_t running = 0;
  on_each([&running](CoreWorld& world) { running += world.worker.running(); });
  return running;
}

std::vector<std::string> Gateway::renew_credentials(Credentials::When when) {
  std::vector<std::string> news = credentials_.renew(when);
  for (auto& world : worlds_) {
    auto renewed = credentials_.make_renewed();  // here: a core has no time to read certificates
    if (!renewed) break;
    world->core.ask([&] { world->worker.tls.replace(std::move(*renewed)); });
  }
  credentials_.publish();
  return news;
}

std::vector<Counters> Gateway::counters() {
  std::vector<Counters> all;
  on_each([&all](CoreWorld& world) { all.push_back(world.worker.snapshot()); });
  return all;
}

std::span<const routing::Route> Gateway::routes() const noexcept {
  return worlds_.front()->worker.routes->routes();
}

std::vector<const recorder::Recorder*> Gateway::recorders() const {
  std::vector<const recorder::Recorder*> all;
  for (const auto& world : worlds_) all.push_back(world->worker.recorder.get());
  return all;
}

}  // namespace segue::gateway
