// SQL over what a gateway served, while its archiver moves it from the journal to files.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>

#include "tests/e2e/archived_gateway.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

TEST_CASE("an exchange is there by SQL when its answer is, once, before and after archiving") {
  const ArchivedFolder folder;
  const TempDir beside;
  ScriptedBackend backend(echo);
  const ConfigText config = all_to(backend.port()).with("archive", folder.settings());
  const std::string file = (beside.path() / "segue.yaml").string();
  std::ofstream(file) << config.yaml(folder.journal());
  GatewayProcess gateway(config, folder.journal(), archiving());
  RawClient client(gateway.port());
  unsigned answered = 0;
  for (unsigned round = 0; round < rounds(12); ++round) {
    for (unsigned n = 0; n < 25; ++n)
      if (client.get(fmt::format("/round/{}/{}", round, n)).status() == 200) ++answered;
    const CommandResult result = run_command(
        {seguectl_path(), "query", "SELECT count(*) AS n, count(DISTINCT target) AS targets FROM "
                                   "exchanges", "-c", file, "-o", "json"});
    INFO(result.err);
    CHECK(result.out == fmt::format("{{\"n\":{},\"targets\":{}}}\n", answered, answered));
  }
  CHECK(answered == 25 * rounds(12));
}

}  // namespace
}  // namespace segue::test
