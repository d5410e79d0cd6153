#include "cli/serve_parts.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "config/load.hpp"
#include "exchange/ensure.hpp"
#include "gateway/http1/characters.hpp"
#include "recorder/redaction/keys.hpp"

namespace segue::cli {
namespace {

// Its name among the journal's consumers.
constexpr std::string_view kArchiver = "archiver";

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

bool asks_for(const config::Settings& settings, recorder::Durability durability) {
  return std::ranges::any_of(settings.routes, [durability](const config::RouteSettings& route) {
    return route.record.durability == durability;
  });
}

}  // namespace

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

recorder::JournalSettings journal_settings(const config::Settings& settings, Archiving archiving) {
  recorder::JournalSettings journal = settings.journal;
  const bool consumes = archiving == Archiving::on &&
                        settings.archive.from == warehouse::ArchiveFrom::journal;
  if (consumes && std::ranges::find(journal.consumers, kArchiver) == journal.consumers.end())
    journal.consumers.emplace_back(kArchiver);
  return journal;
}

std::size_t largest_payload(const config::Settings& settings) {
  std::uint64_t body = 0;
  for (const config::RouteSettings& route : settings.routes)
    body = std::max(body, route.record.body_max_bytes);
  return static_cast<std::size_t>(2 * body + 2 * settings.limits.head_bytes);
}

std::unique_ptr<recorder::Publisher> make_publisher(const config::Settings& settings,
                                                    recorder::Journal& journal) {
  if (!settings.kafka) return nullptr;
  return std::make_unique<recorder::Publisher>(*settings.kafka, journal);
}

std::unique_ptr<compare::LiveComparison> make_comparison(const config::Settings& settings,
                                                         const recorder::Journal& journal) {
  std::map<std::string, compare::RouteRules> routes;
  for (const config::RouteSettings& route : settings.routes)
    if (route.shadow) routes.emplace(route.rule.name, route.compare);
  if (routes.empty() || settings.live_comparison.share == 0) return nullptr;
  return std::make_unique<compare::LiveComparison>(journal.run(), settings.live_comparison,
                                                   std::move(routes));
}

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

}  // namespace segue::cli
