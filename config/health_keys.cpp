#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "gateway/http1/characters.hpp"

namespace segue::config {
namespace {

using gateway::BackendSettings;
using gateway::HealthSettings;

constexpr std::uint64_t kMostChecks = 100;  // in a row
constexpr std::uint64_t kMostRetries = 5;   // of one request

// What is asked for in a request line, without a host (RFC 9112, 3.2.1).
struct OriginForm {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "a path such as /healthz";
    auto text = read_text(place, context, kExpected);
    if (!text) return std::nullopt;
    const bool is_target = std::all_of(text->begin(), text->end(), [](char c) {
      return (gateway::http1::classes_of(c) & gateway::http1::kTarget) != 0;
    });
    if (is_target && text->starts_with('/')) return text;
    refuse_value(place, context, kExpected,
                 text->starts_with('/') ? "only visible ASCII, without '#'"
                                        : "it starts with a slash; the host is the backend's");
    return std::nullopt;
  }
  std::string type() const { return "path"; }
  std::string show(const std::string& value) const { return value; }
};

Keys<HealthSettings> keys_of_health() {
  const Duration some_time{milliseconds{10}, std::chrono::hours{1}};
  const Count checks{1, kMostChecks};
  return {
      required(key<HealthSettings>("path", &HealthSettings::path, OriginForm{},
                                   "asked for with GET; 2xx and 3xx are healthy", "")),
      key<HealthSettings>("interval", &HealthSettings::interval, some_time,
                          "between two checks of an endpoint, up to a tenth more or less"),
      key<HealthSettings>("timeout", &HealthSettings::timeout, some_time,
                          "of one check, from connecting to the end of its answer; at most "
                          "`interval`"),
      key<HealthSettings>("healthy_after", &HealthSettings::healthy_after, checks,
                          "checks in a row that pass, until an unhealthy endpoint gets requests"),
      key<HealthSettings>("unhealthy_after", &HealthSettings::unhealthy_after, checks,
                          "checks in a row that fail, until a healthy one gets none"),
  };
}

// There is one reason to try again so far; it is named, so that a second one needs no other key.
Key<BackendSettings> retried_failures_key() {
  const List<Choice<int>> failures{{{{"connect-failure", 0}}}, 1};
  return special_key<BackendSettings>(
      "on", failures.type(), "[connect-failure]",
      "no connection, TLS included: nothing was sent, so that any method may be tried again",
      [failures](const Place& place, Context& context, BackendSettings& backend) {
        const auto read = failures.read(place, context);
        if (read && read->empty()) backend.retry_attempts = 0;
      });
}

}  // namespace

Key<BackendSettings> health_key() {
  return section<BackendSettings>("health", &BackendSettings::health, keys_of_health());
}

Key<BackendSettings> retries_key() {
  return group<BackendSettings>(
      "retries", {key<BackendSettings>("attempts", &BackendSettings::retry_attempts,
                                       Count{0, kMostRetries},
                                       "further tries of a request, on another endpoint where one "
                                       "is available"),
                  retried_failures_key()});
}

Key<BackendSettings> retry_budget_key() {
  return key<BackendSettings>("retry_budget_percent", &BackendSettings::retry_budget, Percent{},
                              "such tries, of the requests to this backend; a quiet backend may "
                              "have a few more");
}

void finish_health(const Place& place, Context& context, const BackendSettings& backend) {
  if (!backend.health || backend.health->timeout <= backend.health->interval) return;
  const yaml::Entry& health = *place.node.find("health");
  const yaml::Entry* blamed = health.value.find("timeout");
  if (blamed == nullptr) blamed = health.value.find("interval");
  context.report.add(codes::kOutOfRange, blamed == nullptr ? health.key_at : blamed->value.at,
                     fmt::format("{}.health.timeout is {}, longer than its interval of {}: a check "
                                 "must be over when the next one begins",
                                 place.name, show_duration(backend.health->timeout),
                                 show_duration(backend.health->interval)));
}

}  // namespace segue::config
