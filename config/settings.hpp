#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/settings.hpp"
#include "gateway/settings.hpp"
#include "kafka/settings.hpp"
#include "recorder/settings.hpp"
#include "routing/route_rule.hpp"
#include "warehouse/settings.hpp"

namespace segue::config {

// Everything of `routes.NAME`, `defaults` merged in. Routes are kept in the order of their names.
struct RouteSettings {
  routing::RouteRule rule;
  recorder::RecordSettings record;
  gateway::RouteTimeouts timeouts;
  gateway::RouteTraffic traffic;
  std::optional<gateway::ShadowSettings> shadow;  // with `rule.shadow`
  compare::RouteRules compare;
  std::string file;   // where the route stands, for people
  unsigned line = 0;  // from 1
};

struct TestSettings {
  routing::TestCase test;
  std::string file;
  unsigned line = 0;
};

// A whole configuration, checked; see docs/configuration.md for every key and its default.
struct Settings {
  std::string service = "segue";
  std::string instance;  // default: the host's name
  unsigned cores = 0;    // 0: auto
  bool pin_cores = false;
  std::vector<gateway::ListenerSettings> listeners;
  gateway::Limits limits;
  gateway::DrainSettings drain;
  gateway::AccessLogSettings access_log;
  std::vector<gateway::BackendSettings> backends;  // in the order of their names
  recorder::JournalSettings journal;
  std::optional<kafka::Settings> kafka;     // none: the journal is where it ends
  bool archives = false;                    // there is a block `archive`
  warehouse::ArchiveSettings archive;       // its defaults where there is none
  recorder::KeySettings keys;
  compare::LiveSettings live_comparison;  // of routes that shadow
  std::uint64_t capture_memory = 64 << 20;  // bytes, of the process
  std::vector<RouteSettings> routes;
  std::vector<TestSettings> tests;
};

}  // namespace segue::config
