// What deploy/ says to other engines is what the files hold: their tables are made from the one list of
// columns.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/sql/exchange_columns.hpp"

namespace segue::warehouse {
namespace {

using test::TempDir;

struct Column {
  std::string name;
  std::string type;  // DuckDB's
};

std::vector<Column> file_columns() {
  std::vector<Column> columns;
  for (const ExchangeColumn& column : exchange_columns())
    columns.push_back({column.name, std::string(column.sql_type())});
  for (const ArchiveColumn& column : archive_columns())
    columns.push_back({column.name, column.sql_type});
  return columns;
}

// How an engine calls things.
struct Dialect {
  std::string file;   // below deploy/
  char table_quote;   // around names in definitions of tables
  char quote;         // and elsewhere
  std::string create_view;
  std::map<std::string, std::string> types;
};

const Dialect kAthena{"athena/exchanges.sql", '`', '"', "CREATE OR REPLACE VIEW",
                      {{"VARCHAR", "string"},
                       {"BLOB", "binary"},
                       {"BIGINT", "bigint"},
                       {"TIMESTAMP", "timestamp"},
                       {"BOOLEAN", "boolean"},
                       {"MAP(VARCHAR, VARCHAR[])", "map<string,array<string>>"}}};
const Dialect kTrino{"trino/exchanges.sql", '"', '"', "CREATE OR REPLACE VIEW",
                     {{"VARCHAR", "varchar"},
                      {"BLOB", "varbinary"},
                      {"BIGINT", "bigint"},
                      {"TIMESTAMP", "timestamp(6)"},
                      {"BOOLEAN", "boolean"},
                      {"MAP(VARCHAR, VARCHAR[])", "map(varchar, array(varchar))"}}};
const Dialect kSpark{"spark/exchanges.sql", '`', '`', "CREATE OR REPLACE VIEW",
                     {{"VARCHAR", "STRING"},
                      {"BLOB", "BINARY"},
                      {"BIGINT", "BIGINT"},
                      {"TIMESTAMP", "TIMESTAMP_NTZ"},
                      {"BOOLEAN", "BOOLEAN"},
                      {"MAP(VARCHAR, VARCHAR[])", "MAP<STRING, ARRAY<STRING>>"}}};
const Dialect kRedshift{"redshift/tables.sql", '"', '"', "",
                        {{"VARCHAR", "VARCHAR(65535)"},
                         {"BLOB", "VARBYTE(1024000)"},
                         {"BIGINT", "BIGINT"},
                         {"TIMESTAMP", "TIMESTAMP"},
                         {"BOOLEAN", "BOOLEAN"},
                         {"MAP(VARCHAR, VARCHAR[])", "SUPER"}}};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string definitions(const Dialect& dialect) {
  std::string lines;
  for (const Column& column : file_columns())
    lines += fmt::format("{}  {q}{}{q} {}", lines.empty() ? "" : ",\n", column.name,
                         dialect.types.at(column.type), fmt::arg("q", dialect.table_quote));
  return lines;
}

// Names in lines of at most 100 characters, as the views list them.
std::string listed(const Dialect& dialect, std::string_view prefix) {
  const bool exchanges = !prefix.empty();
  std::string text;
  std::string line = " ";
  const auto end_line = [&] {
    if (line != " ") text += line + "\n";
    line = " ";
  };
  auto columns = file_columns();
  columns.push_back({"dt", "DATE"});
  for (const Column& column : columns) {
    if (exchanges && column.name == "record") continue;
    if (exchanges && column.name == "outcome") {
      end_line();
      text += "  CASE WHEN e.outcome = 'COMPLETED' THEN coalesce(f.outcome, e.outcome) "
              "ELSE e.outcome END AS outcome,\n";
      continue;
    }
    const std::string item = fmt::format("{}{q}{}{q}{}", prefix, column.name,
                                         column.name == "dt" ? "" : ",", fmt::arg("q", dialect.quote));
    if (line.size() + 1 + item.size() > 100) end_line();
    line += " " + item;
  }
  end_line();
  return text;
}

// The views say the same to every engine.
std::string views(const Dialect& dialect) {
  return fmt::format(
      R"({create} records AS
SELECT
{records}FROM (SELECT 'compact' AS part, c.* FROM compact c
      UNION ALL SELECT 'raw' AS part, r.* FROM raw r) files
CROSS JOIN (SELECT coalesce(max(CAST({q}before{q} AS date)), DATE '1970-01-01') AS day
            FROM watermark) compacted
WHERE (part = 'compact' AND dt < day) OR (part = 'raw' AND dt >= day);

-- FINISH records tell what became of an exchange after it was on record.
{create} exchanges AS
SELECT
{exchanges}FROM records e
LEFT JOIN (SELECT parent_id, max_by(outcome, created_at) AS outcome FROM records
           WHERE kind = 'FINISH' GROUP BY parent_id) f ON f.parent_id = e.id
WHERE e.kind <> 'FINISH';
)",
      fmt::arg("create", dialect.create_view), fmt::arg("q", dialect.quote),
      fmt::arg("records", listed(dialect, "")), fmt::arg("exchanges", listed(dialect, "e.")));
}

TEST_CASE("the tables of deploy/ have the columns of the files, each with its type") {
  const auto& [dialect, tables] = GENERATE(table<Dialect, std::size_t>(
      {{kAthena, 2}, {kTrino, 2}, {kSpark, 2}, {kRedshift, 1}}));
  const std::string text = text_of(SEGUE_SOURCE_DIR "/deploy/" + dialect.file);
  const std::string wanted = definitions(dialect);
  INFO("deploy/" << dialect.file << " must have:\n" << wanted);
  CHECK(count_of(text, wanted) == tables);
}

TEST_CASE("the views of deploy/ are the same for every engine, and list every column") {
  const Dialect dialect = GENERATE(kAthena, kTrino, kSpark);
  const std::string text = text_of(SEGUE_SOURCE_DIR "/deploy/" + dialect.file);
  const std::string wanted = views(dialect);
  INFO("deploy/" << dialect.file << " must end with:\n" << wanted);
  CHECK(text.ends_with(wanted));
}

// deploy/redshift/load.py with these lines as its input.
struct Load {
  int exit_code = -1;
  std::string errors;
  std::string manifest;
  std::string sql;
  std::string offsets;
};

Load load(const std::string& lines) {
  const TempDir folder;
  std::ofstream(folder / "records") << lines;
  // A shell gives it its input; nothing of the paths needs quoting.
  const auto result = test::run_command(
      {"/bin/sh", "-c",
       fmt::format("exec python3 {}/deploy/redshift/load.py --role arn:aws:iam::1:role/loader "
                   "--manifests s3://b/loads/ --name one --out {}/out <{}/records",
                   SEGUE_SOURCE_DIR, folder.path().string(), folder.path().string())});
  Load done;
  done.exit_code = result.exit_code;
  done.errors = result.err;
  done.manifest = text_of(folder / "out/one.manifest");
  done.sql = text_of(folder / "out/one.sql");
  done.offsets = text_of(folder / "out/one.offsets.csv");
  return done;
}

std::string record(std::string_view path, int start, std::string_view version = "1") {
  return fmt::format(
      R"({{"format_version":1,"archive":"a","source":"t","partition":"0","start":{1},"end":{2},)"
      R"("kind":"rows","dt":"2026-11-20","files":[{{"path":"{0}","url":"s3://b/p/{0}","rows":10,)"
      R"("bytes":2345,"sha256":"00"}}],"rows":10,"bytes":2345,"schema_version":{3}}})"
      "\n",
      path, start, start + 9, version);
}

TEST_CASE("records of the manifest topic become one COPY, each file once") {
  const Load done = load(record("raw/dt=2026-11-20/t~0~1~10.parquet", 1) +
                         record("raw/dt=2026-11-20/t~0~11~20.parquet", 11) +
                         record("raw/dt=2026-11-20/t~0~1~10.parquet", 1) +
                         R"({"format_version":1,"kind":"lost","files":[],"schema_version":1})" "\n");
  INFO(done.errors);
  REQUIRE(done.exit_code == 0);
  CHECK(done.manifest == R"({
 "entries": [
  {
   "url": "s3://b/p/raw/dt=2026-11-20/t~0~1~10.parquet",
   "mandatory": true,
   "meta": {
    "content_length": 2345
   }
  },
  {
   "url": "s3://b/p/raw/dt=2026-11-20/t~0~11~20.parquet",
   "mandatory": true,
   "meta": {
    "content_length": 2345
   }
  }
 ]
}
)");
  CHECK(done.sql.find("-- 2 files, 20 rows.") == 0);
  CHECK(done.sql.find("COPY incoming FROM 's3://b/loads/one.manifest'\n"
                      "IAM_ROLE 'arn:aws:iam::1:role/loader'\n"
                      "FORMAT AS PARQUET SERIALIZETOJSON MANIFEST;\n") != std::string::npos);
}

TEST_CASE("where the group is to go on is written, for when the rows are loaded and not before") {
  const Load done = load("Partition:0\tOffset:7\t" + record("raw/dt=2026-11-20/a.parquet", 1) +
                         "Partition:1\tOffset:3\t" + record("raw/dt=2026-11-20/b.parquet", 1) +
                         "Partition:0\tOffset:8\t" + record("raw/dt=2026-11-20/c.parquet", 11));
  INFO(done.errors);
  REQUIRE(done.exit_code == 0);
  CHECK(done.sql.find("-- 3 files, 30 rows.") == 0);
  CHECK(done.offsets == "segue.archive.manifest,0,9\nsegue.archive.manifest,1,4\n");
  CHECK(load("Partition:0\tOffset:7\t{}\n").offsets.empty());
}

TEST_CASE("what Redshift cannot load is refused with the line it stands in") {
  const std::string good = record("raw/dt=2026-11-20/t~0~1~10.parquet", 1);
  const Load newer = load(good + record("x.parquet", 11, "2"));
  CHECK(newer.exit_code == 2);
  CHECK(newer.errors.find("line 2: files of schema version 2") != std::string::npos);
  CHECK(newer.sql.empty());
  const Load foreign = load(good + "{}\n");
  CHECK(foreign.exit_code == 2);
  CHECK(foreign.errors.find("line 2 is no record of the manifest topic") != std::string::npos);
  const Load local = load(R"({"files":[{"url":"/srv/a.parquet","rows":1,"bytes":1}],)"
                          R"("schema_version":1})" "\n");
  CHECK(local.exit_code == 2);
  CHECK(local.errors.find("/srv/a.parquet is not in S3") != std::string::npos);
  CHECK(load("").exit_code == 1);
}

}  // namespace
}  // namespace segue::warehouse
