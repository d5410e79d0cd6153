#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kConfiguration = R"(version: 1
listeners: { public: { address: "127.0.0.1:0" } }
backends:
  legacy: { endpoints: ["php.internal:80"] }
  new: { endpoints: ["go.internal:80"] }
defaults: { record: { redact: {} } }
routes:
  catch-all:
    match: { prefix: / }
    to: legacy
  search-create:
    match: { method: POST, path: "/searches/{id}" }
    to: legacy
  search-read:
    match: { method: GET, path: "/searches/{id}" }
    split: { legacy: 90, new: 10 }
    sticky: { key: cookie:uid, missing: legacy }
  search-beta:
    match: { method: GET, path: "/searches/{id}", header: { x-beta: "1" } }
    to: new
    rewrite: { path: "/v1/{id}" }
)";

constexpr std::string_view kTests = R"(tests:
  - { request: GET /searches/42, route: search-read }
  - { request: GET /, route: catch-all, backend: legacy }
)";

// Runs `segue` with a configuration made of parts; FILE in the arguments is its path.
CommandResult segue(const TempDir& folder, std::string_view configuration,
                    std::vector<std::string> arguments) {
  const std::string path = folder.write("segue.yaml", configuration).string();
  for (std::string& argument : arguments)
    if (argument == "FILE") argument = path;
  arguments.insert(arguments.begin(), segue_path());
  return run_command(arguments);
}

std::string with_tests() {
  return std::string(kConfiguration).append(kTests);
}

std::string with_failing_test() {
  return std::string(kConfiguration)
      .append(
          "tests:\n  - { request: GET /searches/1, route: catch-all }\n"
          "  - { request: GET /, route: catch-all }\n");
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("validate says that a configuration is valid, on standard output") {
  const TempDir folder;
  const CommandResult result = segue(folder, with_tests(), {"validate", "FILE"});
  CHECK(result.exit_code == 0);
  CHECK(result.out == (folder / "segue.yaml").string() + ": valid (4 routes, 2 tests passed)\n");
  CHECK(result.err.empty());
}

TEST_CASE("validate shows each error with its line, a caret and the nearest key") {
  const TempDir folder;
  std::string text(kConfiguration);
  text.replace(text.find("{ method: POST"), 8, "{ metod");
  const CommandResult result = segue(folder, text, {"validate", "FILE"});
  CHECK(result.exit_code == 1);
  CHECK(contains(result.out,
                 "segue.yaml:12:14: error[E012]: unknown key 'metod' in "
                 "routes.search-create.match\n"
                 " 12 |     match: { metod: POST, path: \"/searches/{id}\" }\n"
                 "    |              ^^^^^ did you mean 'method'?\n"));
  CHECK(contains(result.out, "segue.yaml: 1 error\n"));
}

TEST_CASE("validate speaks JSON and GitHub's workflow commands") {
  const TempDir folder;
  const CommandResult json =
      segue(folder, "version: 2\n", {"validate", "FILE", "--output", "json"});
  CHECK(json.exit_code == 1);
  CHECK(contains(json.out, "{\"format_version\":1,\"files\":[{\"file\":"));
  CHECK(contains(json.out, "\"code\":\"E014\""));
  CHECK(contains(json.out, "\"line\":1,\"column\":10,\"length\":1,"));
  const CommandResult github =
      segue(folder, "version: 2\n", {"validate", "FILE", "--output", "github"});
  CHECK(contains(github.out, ",line=1,col=10,endColumn=11,title=E014::version must be 1"));
}

TEST_CASE("a file that is not there is exit code 2, an unknown option too") {
  const TempDir folder;
  CHECK(segue(folder, "", {"validate", (folder / "none.yaml").string()}).exit_code == 2);
  CHECK(segue(folder, "", {"validate", "--no-such-option"}).exit_code == 2);
  CHECK(segue(folder, "", {}).exit_code == 2);
  CHECK(segue(folder, "", {"routes", "list", "-c", (folder / "none.yaml").string()}).exit_code ==
        2);
}

TEST_CASE("control characters of a file never reach the terminal") {
  const TempDir folder;
  const CommandResult result =
      segue(folder, "\"a\\e[31mb\": 1\n", {"validate", "FILE", "--color", "never"});
  CHECK(result.exit_code == 1);
  CHECK_FALSE(contains(result.out, "\x1b"));
  CHECK(contains(result.out, "a\\x1b[31mb"));
}

TEST_CASE("colour is for terminals unless it is asked for") {
  const TempDir folder;
  CHECK_FALSE(contains(segue(folder, "version: 2\n", {"validate", "FILE"}).out, "\x1b["));
  CHECK(contains(segue(folder, "version: 2\n", {"validate", "FILE", "--color", "always"}).out,
                 "\x1b[1;31merror[E014]\x1b[0m"));
}

TEST_CASE("routes list shows every route with its place") {
  const TempDir folder;
  const CommandResult result = segue(folder, with_tests(), {"routes", "list", "-c", "FILE"});
  CHECK(result.exit_code == 0);
  for (const char* name : {"catch-all", "search-create", "search-read", "search-beta"})
    CHECK(contains(result.out, name));
  CHECK(contains(result.out, "legacy 90 / new 10"));
  CHECK(contains(result.out, "segue.yaml:14\n"));
  const CommandResult json =
      segue(folder, with_tests(), {"routes", "list", "-c", "FILE", "-o", "json"});
  CHECK(contains(json.out, "\"route\":\"search-read\""));
  CHECK(contains(json.out, "\"line\":14"));
}

TEST_CASE("routes test goes on after a failure and exits with 1") {
  const TempDir folder;
  CHECK(segue(folder, with_tests(), {"routes", "test", "-c", "FILE"}).exit_code == 0);
  const CommandResult result = segue(folder, with_failing_test(), {"routes", "test", "-c", "FILE"});
  CHECK(result.exit_code == 1);
  CHECK(contains(result.out, "FAIL  GET /searches/1  search-read\n"));
  CHECK(contains(result.out, "route should be catch-all and is search-read\n"));
  CHECK(contains(result.out, "ok    GET /  catch-all\n"));
  CHECK(contains(result.out, "2 tests, 1 failed\n"));
}

TEST_CASE("routes test runs what --run chooses, and writes JUnit") {
  const TempDir folder;
  const CommandResult chosen =
      segue(folder, with_failing_test(), {"routes", "test", "-c", "FILE", "--run", "catch-all"});
  CHECK(chosen.exit_code == 0);
  CHECK(contains(chosen.out, "1 test, 0 failed\n"));
  CHECK(
      segue(folder, with_tests(), {"routes", "test", "-c", "FILE", "--run", "nothing"}).exit_code ==
      2);
  CHECK(segue(folder, with_tests(), {"routes", "test", "-c", "FILE", "--run", "("}).exit_code == 2);
  const CommandResult junit =
      segue(folder, with_failing_test(), {"routes", "test", "-c", "FILE", "-o", "junit"});
  CHECK(contains(junit.out, "tests=\"2\" failures=\"1\""));
  CHECK(contains(junit.out, "<failure message=\"route should be catch-all and is search-read\"/>"));
}

TEST_CASE("routes explain shows the winner, what it beats, and near misses") {
  const TempDir folder;
  const CommandResult result = segue(folder, kConfiguration,
                                     {"routes", "explain", "GET /searches/42", "-H", "x-beta: 1",
                                      "-H", "accept: a", "-c", "FILE"});
  CHECK(result.exit_code == 0);
  CHECK(contains(result.out, "search-beta -> new"));
  CHECK(contains(result.out, "segue.yaml:18\n"));
  CHECK(contains(result.out, "  beats search-read"));
  CHECK(contains(result.out, "  beats catch-all"));
  CHECK(contains(result.out, "  near miss: search-create"));
  CHECK(contains(result.out, "  backend sees"));
  CHECK(contains(result.out, "/v1/42\n"));
  const CommandResult json =
      segue(folder, kConfiguration, {"routes", "explain", "GET /x", "-c", "FILE", "-o", "json"});
  CHECK(contains(json.out, "\"verdict\":\"routed\",\"route\":\"catch-all\""));
}

TEST_CASE("routes list and explain say where copies go, and why one goes nowhere") {
  const TempDir folder;
  const std::string configuration =
      std::string(kConfiguration)
          .append(
              "  account:\n    match: { prefix: /account }\n    to: legacy\n"
              "    shadow: { to: new, percent: 2.5, control_percent: 1 }\n");
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-c", "FILE"});
    return segue(folder, configuration, arguments).out;
  };
  CHECK(contains(run({"routes", "list"}), "legacy, shadow new 2.5%"));
  CHECK(contains(run({"routes", "list", "-o", "json"}),
                 "\"shadow\":{\"to\":\"new\",\"percent\":2.500,\"control_percent\":1.000}"));
  CHECK(contains(run({"routes", "explain", "GET /account"}), "new, 2.5% of requests\n"));
  CHECK(contains(run({"routes", "explain", "POST /account"}),
                 "none: the method is not safe and the route does not state `writes`\n"));
  CHECK_FALSE(contains(run({"routes", "explain", "GET /"}), "shadow"));
  CHECK(contains(run({"routes", "explain", "GET /account", "-o", "json"}),
                 "\"shadow\":\"new\""));
  CHECK(contains(run({"routes", "explain", "PUT /account", "-o", "json"}),
                 "\"no_shadow\":\"unsafe_method\""));
}

TEST_CASE("a request that cannot be read is exit code 2") {
  const TempDir folder;
  CHECK(segue(folder, kConfiguration, {"routes", "explain", "/x", "-c", "FILE"}).exit_code == 2);
  CHECK(segue(folder, kConfiguration, {"routes", "explain", "GET /", "-H", "x", "-c", "FILE"})
            .exit_code == 2);
}

TEST_CASE("commands that need a valid configuration print what is wrong with it") {
  const TempDir folder;
  const CommandResult result = segue(folder, "version: 2\n", {"routes", "list", "-c", "FILE"});
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "error[E014]"));
}

TEST_CASE("segue tells its version") {
  const CommandResult result = run_command({segue_path(), "--version"});
  CHECK(result.exit_code == 0);
  CHECK(result.out.starts_with("segue 0."));
}

}  // namespace
}  // namespace segue::test
