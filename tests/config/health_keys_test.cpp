#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using gateway::BackendSettings;
using std::chrono::milliseconds;
using testing::load_changed;
using testing::Marked;
using testing::read_marks;
using testing::settings_of;

const BackendSettings& backend_of(const Settings& settings, std::string_view name) {
  for (const BackendSettings& backend : settings.backends)
    if (backend.name == name) return backend;
  FAIL("no backend " << name);
  return settings.backends.front();
}

std::string backends(std::string_view keys_of_legacy) {
  return "backends:\n  new: { endpoints: [\"127.0.0.1:2\"] }\n"
         "  legacy: { endpoints: [\"127.0.0.1:1\"], " +
         std::string(keys_of_legacy) + " }\n";
}

TEST_CASE("checks and retries have the documented defaults, and are off unless asked for") {
  const Settings settings = settings_of(backends("health: { path: /healthz }"));
  const BackendSettings& checked = backend_of(settings, "legacy");
  REQUIRE(checked.health.has_value());
  CHECK(checked.health->path == "/healthz");
  CHECK(checked.health->interval == milliseconds{5000});
  CHECK(checked.health->timeout == milliseconds{1000});
  CHECK(checked.health->healthy_after == 2);
  CHECK(checked.health->unhealthy_after == 3);
  CHECK(checked.retry_attempts == 0);
  CHECK(checked.retry_budget == 1000);
  CHECK_FALSE(backend_of(settings, "new").health.has_value());
}

TEST_CASE("every value of checks and retries arrives") {
  const Settings settings = settings_of(backends(
      "health: { path: \"/a?b=1\", interval: 2s, timeout: 2s, healthy_after: 1, unhealthy_after: 7 }, "
      "retries: { attempts: 3, on: [connect-failure] }, retry_budget_percent: 2.5"));
  const BackendSettings& backend = backend_of(settings, "legacy");
  REQUIRE(backend.health.has_value());
  CHECK(backend.health->path == "/a?b=1");
  CHECK(backend.health->interval == milliseconds{2000});
  CHECK(backend.health->timeout == milliseconds{2000});
  CHECK(backend.health->healthy_after == 1);
  CHECK(backend.health->unhealthy_after == 7);
  CHECK(backend.retry_attempts == 3);
  CHECK(backend.retry_budget == 250);
}

TEST_CASE("retries on nothing are none") {
  const Settings settings = settings_of(backends("retries: { attempts: 3, on: [] }"));
  CHECK(backend_of(settings, "legacy").retry_attempts == 0);
}

struct Refused {
  std::string keys;  // marks around what is blamed
  std::string_view code;
  std::string_view message;
  std::string_view hint;
};

TEST_CASE("what is wrong with checks and retries is blamed where it stands") {
  const Refused rows[] = {
      {"‹health›: {}", "E013", "needs 'path'", ""},
      {"health: { path: ‹healthz› }", "E014", "a path such as /healthz", "starts with a slash"},
      {"health: { path: ‹\"/a b\"› }", "E014", "a path such as /healthz", "visible ASCII"},
      {"health: { path: /, interval: 1s, timeout: ‹2s› }", "E011",
       "timeout is 2s, longer than its interval of 1s", ""},
      {"health: { path: /, interval: ‹500ms› }", "E011",
       "timeout is 1s, longer than its interval of 500ms", ""},
      {"health: { path: /, unhealthy_after: ‹0› }", "E011", "unhealthy_after", ""},
      {"retries: { attempts: ‹6› }", "E011", "attempts", ""},
      {"retries: { on: [‹reset›] }", "E014", "connect-failure", ""},
      {"retry_budget_percent: ‹101›", "E014", "percentage", ""},
  };
  for (const Refused& row : rows) {
    INFO(row.keys);
    const std::string changes = backends(row.keys);
    const LoadResult result = load_changed(changes);
    REQUIRE_FALSE(result.settings.has_value());
    const Marked marked = read_marks(testing::configuration_with(changes));
    const Diagnostic& error = result.errors.front();
    INFO(error.message << " / " << error.hint);
    CHECK(error.code == row.code);
    CHECK(error.line == marked.line);
    CHECK(error.column == marked.column);
    CHECK(error.message.find(row.message) != std::string::npos);
    CHECK(error.hint.find(row.hint) != std::string::npos);
  }
}

}  // namespace
}  // namespace segue::config
