#pragma once

#include <array>
#include <optional>
#include <vector>

#include "config/key_table.hpp"
#include "config/settings.hpp"

// The key tables of segue.yaml. Built at the first call; any thread may use them.
namespace segue::config {

// The file as a whole. `include`, `defaults`, `routes` and `tests` are only documented here:
// load() reads them, because they need each other.
const Keys<Settings>& root_keys();

// gateway_keys.cpp
Keys<gateway::Limits> limits_keys();
Keys<gateway::DrainSettings> drain_keys();
Keys<gateway::AccessLogSettings> access_log_keys();

// listener_keys.cpp
Keys<gateway::ListenerSettings> listener_keys();
void finish_listener(const Place& place, Context& context, gateway::ListenerSettings& listener);

// backend_keys.cpp
Keys<gateway::BackendSettings> backend_keys();
void finish_backend(const Place& place, Context& context, gateway::BackendSettings& backend);

// health_keys.cpp
Key<gateway::BackendSettings> health_key();
Key<gateway::BackendSettings> retries_key();
Key<gateway::BackendSettings> retry_budget_key();
// Checks that need several keys of `health`.
void finish_health(const Place& place, Context& context, const gateway::BackendSettings& backend);

// recorder_keys.cpp
Keys<Settings> recorder_keys();
// `record:` of a route; `record: none` as well.
Key<RouteSettings> record_key();
// Adds the credentials to what is redacted, and chooses key_mode where it is not written.
void finish_record(const Place& place, RouteSettings& route);

// redaction_keys.cpp
Key<RouteSettings> redact_key();
Key<Settings> keys_key();
// Adds the credentials and keeps the stricter mode of what is listed twice.
void finish_redactions(recorder::RecordSettings& record);
// Whether the account id is read where a value is hidden.
bool hides_account(const recorder::RecordSettings& record, const routing::KeySource& source);
// hash and encrypt need keys; several gateways need one account key.
void check_redaction_keys(const Settings& settings, const yaml::Node& root, Context& context);

// kafka_keys.cpp
Key<Settings> kafka_key();
// The publisher reads the journal where Kafka is configured.
void finish_consumers(Settings& settings);

// archive_keys.cpp
Key<Settings> archive_key();
// The archiver reads the journal where that is archived; Kafka can be only where there is one.
void finish_archive(const yaml::Node& root, Context& context, Settings& settings);

// route_keys.cpp
const Keys<RouteSettings>& defaults_keys();
const Keys<RouteSettings>& route_keys();
// Checks that need several keys of a route; `own` is what it says without `defaults`.
void finish_route(const Place& place, const Place& own, Context& context, RouteSettings& route);
// `{ legacy, new }` of a test, in percent.
std::optional<std::array<double, 2>> read_expected_split(const Place& place, Context& context);

// action_keys.cpp
// `upgrade` may stand in `defaults`, too.
Key<RouteSettings> upgrade_key();
Key<RouteSettings> fallback_key();
Key<RouteSettings> redirect_key();
Key<RouteSettings> respond_key();
// Whether the gateway itself answers the requests of a route: `redirect` or `respond`.
bool is_answered(const yaml::Node& route);
// Checks that need several keys; `own` is what the route says without `defaults`.
void finish_actions(const Place& place, const Place& own, Context& context, RouteSettings& route);

// header_keys.cpp
// Of routes and `defaults`.
Key<RouteSettings> request_headers_key();
Key<RouteSettings> response_headers_key();
Key<RouteSettings> trailers_key();
using HeaderFields = std::vector<std::pair<std::string, std::string>>;
// NAME: value, each once, with names that a route may set.
std::optional<HeaderFields> read_header_map(const Place& place, Context& context,
                                            gateway::http1::HeadKind kind);
// Checks that need several keys; `own` is what the route says without `defaults`, which wins where
// one sets and the other removes.
void finish_header_rules(const Place& place, const Place& own, Context& context,
                         RouteSettings& route);

// shadow_keys.cpp
// `shadow:` of a route, and the part of it that `defaults` may hold.
Key<RouteSettings> shadow_key();
Key<RouteSettings> default_shadow_key();
// Checks that need several keys of `shadow`.
void finish_shadow(const Place& place, Context& context, const RouteSettings& route);

// compare_keys.cpp
Key<RouteSettings> compare_key();
Key<Settings> live_comparison_key();

// test_keys.cpp
Keys<routing::TestCase> test_keys();

}  // namespace segue::config
