// What deploy/ says to other engines is what the files hold: their tables are made from the one list of
// columns.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/exchange.pb.h"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/views.hpp"

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

// Redshift's rows are copies, which lie under no day.
enum class Days : std::uint8_t { no, yes };

// How an engine calls things.
struct Dialect {
  std::string file;   // below deploy/
  char table_quote;   // around names in definitions of tables
  char quote;         // and elsewhere
  Days days;
  std::string create_view;
  std::map<std::string, std::string> types;
};

const Dialect kAthena{"athena/exchanges.sql", '`', '"', Days::yes, "CREATE OR REPLACE VIEW",
                      {{"VARCHAR", "string"},
                       {"BLOB", "binary"},
                       {"BIGINT", "bigint"},
                       {"TIMESTAMP", "timestamp"},
                       {"BOOLEAN", "boolean"},
                       {"MAP(VARCHAR, VARCHAR[])", "map<string,array<string>>"}}};
const Dialect kTrino{"trino/exchanges.sql", '"', '"', Days::yes, "CREATE OR REPLACE VIEW",
                     {{"VARCHAR", "varchar"},
                      {"BLOB", "varbinary"},
                      {"BIGINT", "bigint"},
                      {"TIMESTAMP", "timestamp(6)"},
                      {"BOOLEAN", "boolean"},
                      {"MAP(VARCHAR, VARCHAR[])", "map(varchar, array(varchar))"}}};
const Dialect kSpark{"spark/exchanges.sql", '`', '`', Days::yes, "CREATE OR REPLACE VIEW",
                     {{"VARCHAR", "STRING"},
                      {"BLOB", "BINARY"},
                      {"BIGINT", "BIGINT"},
                      {"TIMESTAMP", "TIMESTAMP_NTZ"},
                      {"BOOLEAN", "BOOLEAN"},
                      {"MAP(VARCHAR, VARCHAR[])", "MAP<STRING, ARRAY<STRING>>"}}};
const Dialect kRedshift{"redshift/tables.sql", '"', '"', Days::no, "CREATE VIEW",
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

constexpr const char* kOutcome =
    "CASE WHEN e.outcome = 'COMPLETED' THEN coalesce(f.outcome, e.outcome) ELSE e.outcome END "
    "AS outcome";

// Names in lines of at most 100 characters, as the views list them.
std::string listed(const Dialect& dialect, std::string_view prefix) {
  const bool exchanges = !prefix.empty();
  auto columns = file_columns();
  if (dialect.days == Days::yes) columns.push_back({"dt", "DATE"});
  if (exchanges) std::erase_if(columns, [](const Column& one) { return one.name == "record"; });
  std::string text;
  std::string line = " ";
  const auto end_line = [&] {
    if (line != " ") text += line + "\n";
    line = " ";
  };
  for (const Column& column : columns) {
    const bool outcome = exchanges && column.name == "outcome";
    const std::string item =
        (outcome ? std::string(kOutcome)
                 : fmt::format("{}{q}{}{q}", prefix, column.name, fmt::arg("q", dialect.quote))) +
        (&column == &columns.back() ? "" : ",");
    if (outcome || line.size() + 1 + item.size() > 100) end_line();
    line += " " + item;
    if (outcome) end_line();
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

// The same where there is one table, and no max_by.
std::string redshift_view() {
  return fmt::format(R"(CREATE VIEW exchanges AS
SELECT
{}FROM records e
LEFT JOIN (SELECT parent_id, outcome, row_number() OVER (
             PARTITION BY parent_id ORDER BY created_at DESC) AS place
           FROM records WHERE kind = 'FINISH') f ON f.parent_id = e.id AND f.place = 1
WHERE e.kind <> 'FINISH';
)",
                     listed(kRedshift, "e."));
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

// No text in them holds a semicolon.
std::vector<std::string> statements_of(const std::string& text) {
  std::vector<std::string> statements;
  std::istringstream all(text);
  for (std::string one; std::getline(all, one, ';');)
    if (one.find_first_not_of(" \n") != std::string::npos) statements.push_back(one);
  return statements;
}

TEST_CASE("Redshift's view lists every column, and ends the file of its tables") {
  const std::string text = text_of(SEGUE_SOURCE_DIR "/deploy/redshift/tables.sql");
  const std::string wanted = redshift_view();
  INFO("deploy/redshift/tables.sql must end with:\n" << wanted);
  CHECK(text.ends_with(wanted));
}

class GivenPayloads : public RecordReader {
 public:
  explicit GivenPayloads(std::vector<std::string> payloads) : payloads_(std::move(payloads)) {}
  std::optional<SourceRecord> next() override {
    if (at_ == payloads_.size()) return std::nullopt;
    const SourceRecord record{at_, payloads_[at_], false};
    ++at_;
    return record;
  }

 private:
  std::vector<std::string> payloads_;
  std::size_t at_ = 0;
};

std::string payload(char id, char of, v1::Outcome outcome) {
  v1::Exchange exchange;
  exchange.set_id(std::string(15, '\1') + id);
  exchange.set_kind(of == 0 ? v1::KIND_PRIMARY : v1::KIND_FINISH);
  if (of != 0) exchange.set_parent_id(std::string(15, '\1') + of);
  exchange.set_created_at(1'763'715'600'000'000 + id);
  exchange.set_outcome(outcome);
  return exchange.SerializeAsString();
}

// Every exchange of a file with FINISH records, as text, by the view `exchanges` that is there.
std::string all_exchanges(Engine& engine) {
  std::string names;
  for (const Column& column : file_columns())
    if (column.name != "record")
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", column.name);
  std::string text;
  engine.ask("SELECT COLUMNS(*)::VARCHAR FROM (SELECT " + names + " FROM exchanges) ORDER BY id",
             [&](const Engine::Row& row) {
               for (const std::string_view value : row)
                 text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
               text += '\n';
             });
  return text;
}

// What is standard SQL in them DuckDB reads, too.
TEST_CASE("other engines' views leave FINISH records out, and give the outcomes that ours gives") {
  const test::TempDir folder;
  const auto day = folder.path() / "raw/dt=2026-11-20";
  std::filesystem::create_directories(day);
  const std::string path = (day / "shop~0~00000000000000000000~9.parquet").string();
  GivenPayloads records({payload(1, 0, v1::OUTCOME_COMPLETED), payload(2, 0, v1::OUTCOME_COMPLETED),
                         payload(3, 0, v1::OUTCOME_REFUSED),
                         payload(4, 2, v1::OUTCOME_UPSTREAM_RESET),
                         payload(5, 2, v1::OUTCOME_CLIENT_ABORTED),
                         payload(6, 3, v1::OUTCOME_CLIENT_ABORTED), "no exchange"});
  ArchiveFileEncoder().encode({"shop", "0"}, records, path);
  Engine engine;
  Views own(engine, Tail::none, nullptr);
  own.show({.archive = Archived::yes, .exchanges = {path}, .comparisons = {}});
  const std::string ours = all_exchanges(engine);
  CHECK(count_of(ours, "\n") == 3);
  CHECK(count_of(ours, "CLIENT_ABORTED") == 1);
  engine.run("CREATE TABLE raw AS SELECT * EXCLUDE (filename) FROM archived");
  engine.run("CREATE TABLE compact AS FROM raw WHERE false");
  engine.run("CREATE TABLE watermark (\"before\" VARCHAR)");
  engine.run("DROP VIEW exchanges CASCADE");
  const std::string all = GENERATE_COPY(
      views(kAthena), views(kTrino),
      "CREATE TABLE records AS SELECT * EXCLUDE (dt) FROM raw;\n" + redshift_view());
  INFO(all);
  for (const std::string& statement : statements_of(all)) engine.run(statement);
  CHECK(all_exchanges(engine) == ours);
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
  CHECK(done.sql.find("-- 2 files, 20 rows,") == 0);
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
  CHECK(done.sql.find("-- 3 files, 30 rows,") == 0);
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
