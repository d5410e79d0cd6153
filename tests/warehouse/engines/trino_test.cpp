// A distributed engine over the files of an archive in S3: Trino finds in them what DuckDB does, by the
// tables and views of deploy/trino/. Athena is made of Trino and has the same views.

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/support/process.hpp"
#include "tests/support/stack_script.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/engines/answers.hpp"
#include "tests/warehouse/engines/three_days.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;
using test::Rows;

// A Trino over the bucket `traffic`; destroyed at the end of its scope or of this process.
class Trino {
 public:
  explicit Trino(const test::Versitygw& server) {
    std::vector<std::string> start{"start", work_, server.url(),
                                   server.credentials_file().string(), "traffic"};
    for (std::string& part : test::owned_by_this_process()) start.push_back(std::move(part));
    test::run_stack_script("trino.sh", start);
  }
  ~Trino() { test::run_stack_script("trino.sh", {"destroy", work_}); }
  Trino(const Trino&) = delete;
  Trino& operator=(const Trino&) = delete;

  // Runs statements, as a file that its own client is given; a line of JSON for each row.
  std::string run(const std::string& statements) const {
    const auto file = folder_ / "statements.sql";
    std::ofstream(file) << statements;
    return test::run_stack_script("trino.sh", {"ask", work_, file.string()});
  }

 private:
  test::TempDir folder_;
  std::string work_ = (folder_ / "trino").string();
};

// deploy/trino/exchanges.sql as its first lines say to use it: with bucket, prefix and first day.
std::string views_of(std::string_view prefix, std::string_view first_day) {
  std::string text =
      test::read_whole_file(SEGUE_SOURCE_DIR "/deploy/trino/exchanges.sql");
  REQUIRE(text.find("s3://BUCKET/PREFIX") != std::string::npos);
  REQUIRE(text.find("2026-01-01") != std::string::npos);
  boost::replace_all(text, "s3://BUCKET/PREFIX", prefix);
  boost::replace_all(text, "2026-01-01", first_day);
  return text;
}

// The first column of each row names its question.
std::map<std::string, Rows> answers_of(const std::string& lines) {
  std::map<std::string, Rows> answers;
  std::istringstream text(lines);
  for (std::string row; std::getline(text, row);) {
    const json::object values = json::parse(row).as_object();
    std::string& line = answers[std::string(values.begin()->value().as_string())].emplace_back();
    for (auto each = values.begin() + 1; each != values.end(); ++each)
      line += test::row_value(each->value().is_null()
                                  ? std::nullopt
                                  : std::optional<std::string_view>(each->value().as_string()));
  }
  for (auto& [name, rows] : answers) std::ranges::sort(rows);
  return answers;
}

TEST_CASE("Trino finds in an archive in S3 what DuckDB finds in it") {
  const test::Versitygw server;
  const auto store = test::archive_three_days(server);
  const Trino trino(server);
  trino.run(views_of("s3://traffic/segue/eu", "2025-11-01"));
  std::string statements;
  for (const auto& [name, question] : test::questions())
    statements += "SELECT '" + name + "' AS question, t.* FROM (" + question.trino + ") t;\n";
  test::check_answers(*store, answers_of(trino.run(statements)));
}

}  // namespace
}  // namespace segue::warehouse
