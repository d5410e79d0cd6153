#include "cli/serve.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "cli/configuration.hpp"
#include "cli/exit_code.hpp"
#include "cli/publisher_state.hpp"
#include "cli/serve_metrics.hpp"
#include "compare/live.hpp"
#include "exchange/ensure.hpp"
#include "gateway/gateway.hpp"
#include "gateway/http1/characters.hpp"
#include "gateway/probe.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/publisher/publisher.hpp"
#include "recorder/redaction/keys.hpp"
#include "runtime/core.hpp"

namespace segue::cli {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{10};
// How long the end waits for Kafka; what is not published by then stays in the journal.
constexpr std::chrono::milliseconds kPublishAtEnd{5'000};

// The signals that the process obeys, taken by the main thread alone: blocked before any other
// thread is started. SIGTERM and SIGINT end it, SIGHUP asks for what has changed on the disk.
class Signals {
 public:
  Signals() {
    sigemptyset(&end_);
    sigaddset(&end_, SIGTERM);
    sigaddset(&end_, SIGINT);
    all_ = end_;
    sigaddset(&all_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &all_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  enum class Came : std::uint8_t { nothing, reload, end };
  Came wait_for(std::chrono::milliseconds limit) const {
    const int number = wait(all_, limit);
    if (number <= 0) return Came::nothing;
    return number == SIGHUP ? Came::reload : Came::end;
  }
  // True when one that ends the process came within `limit`.
  bool end_within(std::chrono::milliseconds limit) const { return wait(end_, limit) > 0; }

 private:
  static int wait(const sigset_t& set, std::chrono::milliseconds limit) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec time{seconds.count(), std::chrono::nanoseconds(limit - seconds).count()};
    return sigtimedwait(&set, nullptr, &time);
  }

  sigset_t end_;
  sigset_t all_;
};

void say(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print(stderr, "segue: {}\n", line);
}

// Until a signal to end comes.
void look_after_credentials(gateway::Gateway& gateway, const Signals& signals) {
  using When = gateway::Credentials::When;
  for (;;) {
    const Signals::Came came = signals.wait_for(gateway::kCredentialsLook);
    if (came == Signals::Came::end) return;
    say(gateway.renew_credentials(came == Signals::Came::reload ? When::always : When::changed));
  }
}

gateway::GatewaySettings gateway_settings(const config::Settings& settings) {
  gateway::GatewaySettings gateway;
  gateway.listeners = settings.listeners;
  gateway.limits = settings.limits;
  gateway.drain = settings.drain;
  gateway.access_log = settings.access_log;
  gateway.backends = settings.backends;
  gateway.capture_memory = settings.capture_memory;
  // The name may be any text; in Via only a token leaves the head in one piece.
  if (gateway::http1::is_token(settings.service)) gateway.via = settings.service;
  for (const config::RouteSettings& route : settings.routes) {
    gateway.route_timeouts.push_back(route.timeouts);
    gateway.route_traffic.push_back(route.traffic);
    gateway.shadows.push_back(route.shadow);
  }
  return gateway;
}

recorder::RecorderSettings recorder_settings(const config::Settings& settings,
                                             std::string_view routing_version,
                                             const recorder::RedactionKeys& keys, unsigned core) {
  recorder::RecorderSettings recorder;
  recorder.key = keys.active;
  recorder.lane = core;
  recorder.provenance = {.service = settings.service,
                         .instance = settings.instance,
                         .version = SEGUE_VERSION,
                         .config_version = std::string(routing_version),
                         .config_revision = {}};
  for (const config::RouteSettings& route : settings.routes)
    recorder.routes.push_back(route.record);
  recorder.when_full_safe = settings.journal.when_full_safe;
  recorder.when_full_unsafe = settings.journal.when_full_unsafe;
  recorder.block_timeout = settings.journal.block_timeout;
  recorder.response_head_bytes = settings.limits.head_bytes;
  return recorder;
}

// Both bodies whole, both heads.
std::size_t largest_payload(const config::Settings& settings) {
  std::uint64_t body = 0;
  for (const config::RouteSettings& route : settings.routes)
    body = std::max(body, route.record.body_max_bytes);
  return static_cast<std::size_t>(2 * body + 2 * settings.limits.head_bytes);
}

bool asks_for(const config::Settings& settings, recorder::Durability durability) {
  return std::ranges::any_of(settings.routes, [durability](const config::RouteSettings& route) {
    return route.record.durability == durability;
  });
}

std::unique_ptr<recorder::Publisher> make_publisher(const config::Settings& settings,
                                                    recorder::Journal& journal) {
  if (!settings.kafka) return nullptr;
  return std::make_unique<recorder::Publisher>(*settings.kafka, journal);
}

// Null: no route shadows, or nothing of it is to be compared here.
std::unique_ptr<compare::LiveComparison> make_comparison(const config::Settings& settings,
                                                         const recorder::Journal& journal) {
  std::map<std::string, compare::RouteRules> routes;
  for (const config::RouteSettings& route : settings.routes)
    if (route.shadow) routes.emplace(route.rule.name, route.compare);
  if (routes.empty() || settings.live_comparison.share == 0) return nullptr;
  return std::make_unique<compare::LiveComparison>(journal.run(), settings.live_comparison,
                                                   std::move(routes));
}

// Each core's own route table and recorder.
std::vector<gateway::CoreParts> core_parts(const config::Settings& settings, unsigned cores,
                                           recorder::Journal& journal,
                                           recorder::Publisher* publisher) {
  const recorder::RedactionKeys keys =
      recorder::load_redaction_keys(settings.keys, settings.journal.directory);
  const auto rules = config::route_rules(settings);
  const auto backends = config::backend_rules(settings);
  const bool syncs = asks_for(settings, recorder::Durability::disk);
  if (syncs) journal.sync_on_demand();
  std::vector<gateway::CoreParts> parts;
  for (unsigned core = 0; core < cores; ++core) {
    auto compiled = routing::RouteTable::compile(rules, backends);
    ensure(compiled.table != nullptr, "routes that were loaded compile again");
    recorder::LanePromises promises;
    if (syncs) promises.disk = &journal.synced(core);
    if (publisher != nullptr) promises.kafka = &publisher->acknowledged(core);
    auto recorder = std::make_unique<recorder::Recorder>(
        journal.lane(core), recorder_settings(settings, compiled.table->version(), keys, core),
        keys.account, promises);
    parts.push_back({std::move(compiled.table), std::move(recorder)});
  }
  return parts;
}

// Stages of docs/architecture.md, "Drain". `stopping` is what /readyz says.
void drain(gateway::Gateway& gateway, const Signals& signals) {
  const gateway::DrainSettings& drain = gateway.settings().drain;
  gateway.drain();
  bool hurry = signals.end_within(drain.delay);
  gateway.close();
  const auto give_up = runtime::after(runtime::monotonic_now(), drain.timeout);
  while (gateway.running() != 0 && !hurry && runtime::monotonic_now() < give_up)
    hurry = signals.end_within(kDrainPoll);
  // Again and again: an exchange that was cut in one wait may begin another one.
  for (gateway.abort(); gateway.running() != 0; gateway.abort()) signals.end_within(kDrainPoll);
}

void say_addresses(const std::vector<std::pair<std::string, std::string>>& addresses) {
  for (const auto& [name, address] : addresses)
    fmt::print(stderr, "listening {} {}\n", name, address);
}

}  // namespace

ServeCommand::ServeCommand(CLI::App& program)
    : command_(program.add_subcommand("serve", "run the gateway")) {
  add_configuration_option(*command_, configuration_);
}

int ServeCommand::run() {
  const Signals signals;
  const config::LoadResult loaded = require_configuration(configuration_, Colour::automatic);
  const config::Settings& settings = *loaded.settings;
  const unsigned cores = settings.cores != 0 ? settings.cores : runtime::usable_cpus();

  recorder::Journal journal(settings.journal, cores, largest_payload(settings));
  const auto publisher = make_publisher(settings, journal);
  const auto comparison = make_comparison(settings, journal);
  gateway::Gateway gateway(gateway_settings(settings),
                           core_parts(settings, cores, journal, publisher.get()));
  std::atomic<bool> ready{false};
  gateway::ProbeAnswers answers;
  answers.readiness = [&] {
    const bool now = ready.load();
    return gateway::ProbeAnswers::Readiness{now, readiness_text(now, publisher.get())};
  };
  answers.metrics = [&] {
    return serve_metrics(gateway, journal, publisher.get(), comparison.get(),
                         loaded.table->version());
  };
  const gateway::ProbeListener probe(settings.listeners, std::move(answers));

  gateway.start(settings.pin_cores ? gateway::Gateway::Pinning::on
                                   : gateway::Gateway::Pinning::off);
  if (publisher) publisher->start();
  if (comparison) comparison->start();
  ready = true;
  say_addresses(gateway.addresses());
  say_addresses(probe.addresses());
  for (const recorder::Damage& damage : journal.found_at_start())
    fmt::print(stderr, "segue: journal: {}: {} at byte {}\n", damage.segment.string(), damage.what,
               damage.offset);
  say(gateway.credentials().warnings());
  fmt::print(stderr, "ready\n");

  look_after_credentials(gateway, signals);
  fmt::print(stderr, "draining\n");
  ready = false;
  drain(gateway, signals);
  if (publisher) publisher->finish(kPublishAtEnd);
  return kClean;
}

}  // namespace segue::cli
