// A distributed engine over the files of an archive: Apache Spark finds in them what DuckDB does. In a
// folder; with SEGUE_TEST_ROUNDS in S3, too, for which 700 MB of libraries are fetched.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/stack_script.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/spark/three_days.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/views.hpp"
#include "warehouse/storage/folder_store.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;
using test::TempDir;

// The same question in two dialects; all columns are text.
struct Question {
  std::string duckdb;
  std::string spark;
};

std::map<std::string, Question> questions() {
  const auto both = [](std::string sql) { return Question{sql, sql}; };
  return {
      {"exchanges by day, path, status and outcome",
       both("SELECT CAST(dt AS STRING), path, CAST(status AS STRING), outcome, CAST(count(*) AS STRING) "
            "FROM exchanges GROUP BY dt, path, status, outcome")},
      {"where each row came from, and what is no exchange",
       {"SELECT kind, source, \"partition\", CAST(\"offset\" AS STRING), CAST(redelivered AS STRING), "
        "md5(record) FROM archived",
        "SELECT kind, source, `partition`, CAST(`offset` AS STRING), CAST(redelivered AS STRING), "
        "md5(record) FROM records"}},
      {"headers by name",
       {"SELECT id, CAST(cardinality(request_headers) AS STRING), "
        "array_to_string(request_headers['accept'], '|'), "
        "array_to_string(request_headers['x-octets'], '|'), "
        "array_to_string(response_headers['content-encoding'], '|') FROM exchanges",
        "SELECT id, CAST(cardinality(request_headers) AS STRING), "
        "array_join(request_headers['accept'], '|'), array_join(request_headers['x-octets'], '|'), "
        "array_join(response_headers['content-encoding'], '|') FROM exchanges"}},
      {"bodies, as text and as octets",
       both("SELECT id, request_body, response_body, hex(response_body_bytes), "
            "CAST(response_size AS STRING) FROM exchanges")},
      {"times to the microsecond",
       {"SELECT id, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f'), CAST(latency_us AS STRING) "
        "FROM exchanges",
        "SELECT id, date_format(created_at, 'yyyy-MM-dd HH:mm:ss.SSSSSS'), "
        "CAST(latency_us AS STRING) FROM exchanges"}},
      {"JSON within bodies",
       {"SELECT account_id, request_body->>'$.n' FROM exchanges "
        "WHERE method = 'POST' AND account_id IS NOT NULL",
        "SELECT account_id, get_json_object(request_body, '$.n') FROM exchanges "
        "WHERE method = 'POST' AND account_id IS NOT NULL"}},
  };
}

// Rows as text, sorted; absent values are told from empty ones.
using Rows = std::vector<std::string>;

Rows ask_duckdb(ObjectStore& store, const std::string& sql) {
  Engine engine;
  mount(engine, store);
  Views views(engine, Tail::none, {});
  Views::Files files;
  files.archive = Archived::yes;
  for (const StoredObject& file : Archive::open(store).files())
    files.exchanges.push_back(sql_path(store, file.key));
  views.show(files);
  Rows rows;
  engine.ask(sql, [&](const Engine::Row& row) {
    std::string line;
    for (const std::string_view value : row)
      line += value.data() == nullptr ? "NULL\t" : fmt::format("'{}'\t", value);
    rows.push_back(std::move(line));
  });
  std::ranges::sort(rows);
  return rows;
}

std::map<std::string, Rows> ask_spark(const std::string& archive,
                                      const std::vector<std::string>& s3 = {}) {
  const TempDir folder;
  json::object asked;
  for (const auto& [name, question] : questions()) asked[name] = question.spark;
  std::ofstream(folder / "questions") << json::serialize(asked);
  std::vector<std::string> command{"run"};
  if (!s3.empty()) command.emplace_back("--s3");
  for (const std::string& part :
       {std::string(SEGUE_SOURCE_DIR "/tests/warehouse/spark/ask_spark.py"), archive,
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
        line += value.is_null() ? "NULL\t"
                                : fmt::format("'{}'\t", std::string_view(value.as_string()));
    }
    std::ranges::sort(lines);
  }
  return answers;
}

void check_answers(ObjectStore& store, const std::map<std::string, Rows>& answers) {
  const Archive archive = Archive::open(store);
  REQUIRE(archive.watermark().has_value());
  std::size_t compacted = 0;
  for (const StoredObject& file : archive.files()) compacted += file.key.starts_with("compact/");
  REQUIRE(compacted > 0);
  REQUIRE(compacted < archive.files().size());
  for (const auto& [name, question] : questions()) {
    INFO(name);
    const Rows wanted = ask_duckdb(store, question.duckdb);
    CHECK(wanted.size() > 10);
    CHECK(answers.at(name) == wanted);
  }
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
  server.make_bucket("traffic");
  S3Settings settings;
  settings.endpoint = server.url();
  settings.credentials_file = server.credentials_file();
  const auto store =
      open_store({.folder = {}, .bucket = "traffic", .prefix = "segue/eu"}, settings);
  test::archive_three_days(*store);
  check_answers(*store, ask_spark("s3a://traffic/segue/eu",
                                  {server.url(), server.credentials_file().string()}));
}

}  // namespace
}  // namespace segue::warehouse
