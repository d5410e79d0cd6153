#include "gateway/gateway.hpp"

#include <fmt/format.h>

#include "exchange/ensure.hpp"
#include "gateway/upstream/health_checks.hpp"

namespace segue::gateway {

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

Gateway::Gateway(GatewaySettings settings, std::vector<CoreParts> parts, ListeningSockets& sockets)
    : settings_(std::move(settings)),
      wanted_connections_(settings_.limits.connections),
      credentials_(settings_),
      fleet_(settings_.backends),
      sockets_(sockets) {
  const auto cores = static_cast<unsigned>(parts.size());
  ensure(cores > 0, "a gateway has a core");
  settings_.limits.connections = descriptor_room(settings_, cores).clients;
  if (settings_.limits.per_client) places_.emplace(*settings_.limits.per_client);
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
    const ListeningSockets::Set& set = sockets_.of(listener);
    for (unsigned core = 0; core < cores; ++core) {
      Worker& worker = worlds_[core]->worker;
      const auto& tls = worker.tls.listeners[i];
      const Entrance entrance{.settings = listener,
                              .tls = tls ? &*tls : nullptr,
                              .trusted = *trusted_[i],
                              .places = places_ ? &*places_ : nullptr};
      const auto accepting = set.sockets.size() < cores ? Listener::Accepting::in_turn
                                                        : Listener::Accepting::alone;
      for (OwnedDescriptor& socket : ListeningSockets::for_core(set, core, cores))
        worlds_[core]->listeners.push_back(
            std::make_unique<Listener>(worker, entrance, std::move(socket), accepting));
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
      for (auto& listener : here->listeners) listener->begin();
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
  // First, so that a socket ends with the last one that accepts from it: what would come to it
  // later would be reset.
  sockets_.close(ListenerKind::public_, ListeningSockets::Files::removed);
  on_each([](CoreWorld& world) {
    for (auto& listener : world.listeners) listener->close();
    world.worker.close_idle();
  });
}

void Gateway::leave(ListeningSockets::Files files) {
  sockets_.close(ListenerKind::public_, files);
  on_each([](CoreWorld& world) {
    world.worker.drain();
    for (auto& listener : world.listeners) listener->close();
  });
}

void Gateway::look_again() {
  on_each([](CoreWorld& world) {
    for (auto& listener : world.listeners) {
      listener->begin();
      listener->look_again();
    }
  });
}

void Gateway::close_idle() {
  on_each([](CoreWorld& world) { world.worker.close_idle(); });
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

std::vector<std::string> Gateway::warnings() const {
  std::vector<std::string> lines = credentials_.warnings();
  if (settings_.limits.connections < wanted_connections_)
    lines.push_back(fmt::format(
        "limits.connections is {}, but this process may have too few open files: {} connections "
        "are accepted at one time; raise the limit (ulimit -n, LimitNOFILE=)",
        wanted_connections_, settings_.limits.connections));
  return lines;
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
