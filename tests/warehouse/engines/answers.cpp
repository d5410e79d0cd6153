#include "tests/warehouse/engines/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::test {

using namespace warehouse;

std::map<std::string, Question> questions() {
  return {
      {"exchanges by day, path, status and outcome",
       {"SELECT dt::VARCHAR, path, status::VARCHAR, outcome, count(*)::VARCHAR "
        "FROM exchanges GROUP BY dt, path, status, outcome",
        "SELECT CAST(dt AS STRING), path, CAST(status AS STRING), outcome, CAST(count(*) AS STRING) "
        "FROM exchanges GROUP BY dt, path, status, outcome",
        "SELECT CAST(dt AS varchar), path, CAST(status AS varchar), outcome, "
        "CAST(count(*) AS varchar) FROM exchanges GROUP BY dt, path, status, outcome"}},
      {"where each row came from, and what is no exchange",
       {"SELECT kind, source, \"partition\", \"offset\"::VARCHAR, redelivered::VARCHAR, md5(record) "
        "FROM archived",
        "SELECT kind, source, `partition`, CAST(`offset` AS STRING), CAST(redelivered AS STRING), "
        "md5(record) FROM records",
        "SELECT kind, source, \"partition\", CAST(\"offset\" AS varchar), "
        "CAST(redelivered AS varchar), lower(to_hex(md5(record))) FROM records"}},
      {"headers by name",
       {"SELECT id, cardinality(request_headers)::VARCHAR, "
        "array_to_string(request_headers['accept'], '|'), "
        "array_to_string(request_headers['x-octets'], '|'), "
        "array_to_string(response_headers['content-encoding'], '|') FROM exchanges",
        "SELECT id, CAST(cardinality(request_headers) AS STRING), "
        "array_join(request_headers['accept'], '|'), array_join(request_headers['x-octets'], '|'), "
        "array_join(response_headers['content-encoding'], '|') FROM exchanges",
        "SELECT id, CAST(cardinality(request_headers) AS varchar), "
        "array_join(element_at(request_headers, 'accept'), '|'), "
        "array_join(element_at(request_headers, 'x-octets'), '|'), "
        "array_join(element_at(response_headers, 'content-encoding'), '|') FROM exchanges"}},
      {"bodies, as text and as octets",
       {"SELECT id, request_body, response_body, hex(response_body_bytes), response_size::VARCHAR "
        "FROM exchanges",
        "SELECT id, request_body, response_body, hex(response_body_bytes), "
        "CAST(response_size AS STRING) FROM exchanges",
        "SELECT id, request_body, response_body, to_hex(response_body_bytes), "
        "CAST(response_size AS varchar) FROM exchanges"}},
      {"times to the microsecond",
       {"SELECT id, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f'), latency_us::VARCHAR FROM exchanges",
        "SELECT id, date_format(created_at, 'yyyy-MM-dd HH:mm:ss.SSSSSS'), "
        "CAST(latency_us AS STRING) FROM exchanges",
        "SELECT id, CAST(created_at AS varchar), CAST(latency_us AS varchar) FROM exchanges"}},
      {"JSON within bodies",
       {"SELECT account_id, request_body->>'$.n' FROM exchanges "
        "WHERE method = 'POST' AND account_id IS NOT NULL",
        "SELECT account_id, get_json_object(request_body, '$.n') FROM exchanges "
        "WHERE method = 'POST' AND account_id IS NOT NULL",
        "SELECT account_id, json_extract_scalar(request_body, '$.n') FROM exchanges "
        "WHERE method = 'POST' AND account_id IS NOT NULL"}},
  };
}

std::string row_value(std::optional<std::string_view> value) {
  return value ? fmt::format("'{}'\t", *value) : "NULL\t";
}

Rows ask_duckdb(ObjectStore& store, const std::string& sql) {
  Engine engine;
  mount(engine, store);
  Views views(engine, Tail::none, {});
  Views::Files files;
  files.archive = Archived::yes;
  for (const StoredObject& file : Archive::open(store).files())
    files.exchanges.push_back(sql_path(file.key));
  views.show(files);
  Rows rows;
  engine.ask(sql, [&](const Engine::Row& row) {
    std::string line;
    for (const std::string_view value : row)
      line += row_value(value.data() == nullptr ? std::nullopt : std::optional(value));
    rows.push_back(std::move(line));
  });
  std::ranges::sort(rows);
  return rows;
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

}  // namespace segue::test
