// A distributed engine over the files of an archive: Apache Spark finds in them what DuckDB does. In a
// folder; with SEGUE_TEST_ROUNDS in S3, too, for which 700 MB of libraries are fetched.

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/stack_script.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/engines/answers.hpp"
#include "tests/warehouse/engines/three_days.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;
using test::ask_duckdb;
using test::check_answers;
using test::questions;
using test::Rows;
using test::TempDir;

std::map<std::string, Rows> ask_spark(const std::string& archive,
                                      const std::vector<std::string>& s3 = {}) {
  const TempDir folder;
  json::object asked;
  for (const auto& [name, question] : questions()) asked[name] = question.spark;
  std::ofstream(folder / "questions") << json::serialize(asked);
  std::vector<std::string> command{"run"};
  if (!s3.empty()) command.emplace_back("--s3");
  for (const std::string& part :
       {std::string(SEGUE_SOURCE_DIR "/tests/warehouse/engines/ask_spark.py"), archive,
        (folder / "questions").string(), (folder / "answers").string()})
    command.push_back(part);
  command.insert(command.end(), s3.begin(), s3.end());
  test::run_stack_script("spark.sh", command);
  std::ifstream file(folder / "answers");
  std::ostringstream text;
  text << file.rdbuf();
  std::map<std::string, Rows> answers;
  const json::value answered = json::parse(text.str());
  for (const auto& [name, rows] : answered.as_object()) {
    Rows& lines = answers[std::string(name)];
    for (const json::value& row : rows.as_array()) {
      std::string& line = lines.emplace_back();
      for (const json::value& value : row.as_array())
        line += test::row_value(value.is_null() ? std::nullopt
                                                : std::optional<std::string_view>(value.as_string()));
    }
    std::ranges::sort(lines);
  }
  return answers;
}

TEST_CASE("Spark finds in an archive what DuckDB finds in it") {
  const TempDir folder;
  FolderStore store(folder.path());
  test::archive_three_days(store);
  check_answers(store, ask_spark("file:" + folder.path().string()));
  // An outcome that a FINISH of the next day says is there, whether its own day is compacted or not.
  CHECK(ask_duckdb(store, "SELECT CAST(count(*) AS STRING) FROM exchanges "
                          "WHERE outcome = 'CLIENT_ABORTED'") != Rows{"'0'\t"});
}

TEST_CASE("Spark finds in an archive in S3 what DuckDB finds in it") {
  if (std::getenv("SEGUE_TEST_ROUNDS") == nullptr) {
    SUCCEED("in the long form alone");
    return;
  }
  const test::Versitygw server;
  const auto store = test::archive_three_days(server);
  check_answers(*store, ask_spark("s3a://traffic/segue/eu",
                                  {server.url(), server.credentials_file().string()}));
}

}  // namespace
}  // namespace segue::warehouse
