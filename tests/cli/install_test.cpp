// What `cmake --install` puts somewhere is enough to run from there.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("installed programs run with what was installed beside them") {
  const TempDir folder;
  const fs::path prefix = folder / "prefix";
  const CommandResult installed =
      run_command({SEGUE_CMAKE, "--install", SEGUE_BUILD, "--prefix", prefix.string()});
  INFO(installed.err);
  REQUIRE(installed.exit_code == 0);
  const std::string seguectl = prefix / "bin/seguectl";

  for (const char* program : {"segue", "seguectl"}) {
    const CommandResult version = run_command({prefix / "bin" / program, "--version"});
    CHECK(version.exit_code == 0);
    CHECK_FALSE(version.out.empty());
  }
  CHECK(has(run_command({"ldd", seguectl}).out,
            (fs::canonical(prefix) / "bin/../lib/segue/libduckdb.so").string()));

  // Of the installed queries, not of the tree's: one that only those have.
  folder.write("prefix/share/segue/queries/mine.sql", "-- The answer.\nSELECT 6 * 7 AS answer\n");
  folder.write("journal/none", "");
  const std::string journal = "journal:" + (folder / "journal").string();
  const CommandResult listed = run_command({seguectl, "query", "@"});
  CHECK(has(listed.out, "@mine"));
  CHECK(has(listed.out, "@errors-by-route"));
  const CommandResult answer = run_command({seguectl, "query", "@mine", journal, "-o", "csv"});
  INFO(answer.err);
  CHECK(answer.exit_code == 0);
  CHECK(has(answer.out, "42"));
  for (const char* file : {"share/doc/segue/warehouse.md", "share/doc/segue/LICENSE",
                           "share/segue/systemd/segue.service"})
    CHECK(fs::exists(prefix / file));
}

}  // namespace
}  // namespace segue::test
