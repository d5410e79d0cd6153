// An archive that a gateway's journal was archived to, looked after by seguectl.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/archived_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace json = boost::json;

void answer(BackendConnection& connection) {
  while (connection.request())
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

class Upkeep {
 public:
  CommandResult run(const std::string& command, std::vector<std::string> more = {}) {
    std::vector<std::string> line{seguectl_path(), command, folder.archive(), "--staging",
                                  staging_.path().string()};
    line.insert(line.end(), more.begin(), more.end());
    return run_command(line);
  }
  // verify's report, against the journal.
  json::object verify() {
    const CommandResult result = run(
        "verify", {"--deep", "-o", "json", "--source", "journal:" + folder.journal().string()});
    INFO(result.out << result.err);
    CHECK(result.exit_code == 0);
    return json::parse(result.out).as_object();
  }

  ArchivedFolder folder;

 private:
  TempDir staging_;
};

TEST_CASE("what a gateway served is archived, verified against its journal, and forgotten") {
  Upkeep upkeep;
  ScriptedBackend backend(answer);
  GatewayProcess gateway(
      all_to(backend.port())
          .with("defaults",
                "{ record: { key: \"query:account\", redact: { headers: [authorization, cookie] } } }"),
      upkeep.folder.journal());
  const auto serve = [&](const std::string& account, int count) {
    RawClient client(gateway.port());
    for (int i = 0; i < count; ++i)
      REQUIRE(client.get(fmt::format("/{}?account={}", i, account)).status() == 200);
  };
  serve("ann", 5);
  serve("bob", 4);
  archive_once(upkeep.folder);
  CHECK(upkeep.verify().at("rows") == 9);
  CHECK(upkeep.verify().at("waiting") == 0);
  serve("bob", 3);
  CHECK(upkeep.verify().at("waiting") == 3);
  archive_once(upkeep.folder);
  CHECK(upkeep.verify().at("rows") == 12);

  // Today is not over: no day can be compacted, and none is old.
  CHECK(upkeep.run("compact", {"--yes"}).exit_code == 0);
  CHECK(upkeep.run("retention", {"--keep", "1d", "--yes"}).exit_code == 0);
  CHECK(archived_targets(upkeep.folder).size() == 12);

  const CommandResult forgotten = upkeep.run("forget", {"--account", "ann", "--yes"});
  INFO(forgotten.err);
  CHECK(forgotten.exit_code == 0);
  const auto report = upkeep.verify();
  CHECK(report.at("rows") == 7);
  CHECK(report.at("forgotten") == 5);
  for (const std::string& target : archived_targets(upkeep.folder))
    CHECK(target.find("ann") == std::string::npos);
  gateway.stop();
  CHECK(upkeep.verify().at("waiting") == 0);
}

}  // namespace
}  // namespace segue::test
