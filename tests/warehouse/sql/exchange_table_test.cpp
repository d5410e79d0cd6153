// Rows as a statement sees them, made of exchanges given here.
#include "warehouse/sql/exchange_table.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "warehouse/sql/views.hpp"

namespace segue::warehouse {
namespace {

class Given : public ExchangeSource {
 public:
  explicit Given(const std::vector<v1::Exchange>& all) : all_(all) {}
  const v1::Exchange* next() override { return at_ < all_.size() ? &all_[at_++] : nullptr; }

 private:
  const std::vector<v1::Exchange>& all_;
  std::size_t at_ = 0;
};

// Exchanges, and statements about them.
class Asked {
 public:
  v1::Exchange& add(v1::Kind kind = v1::KIND_PRIMARY) {
    v1::Exchange& exchange = all_.emplace_back();
    exchange.set_id(std::string(15, '\1') + static_cast<char>(all_.size()));
    exchange.set_kind(kind);
    exchange.set_created_at(1'763'715'600'123'456);
    exchange.set_outcome(v1::OUTCOME_COMPLETED);
    return exchange;
  }

  // All values of all rows, each behind a bar; NULL as it is.
  std::string ask(const std::string& sql) {
    if (!engine_) {
      engine_ = std::make_unique<Engine>();
      add_exchanges(*engine_, [this] { return std::make_unique<Given>(all_); });
      views_ = std::make_unique<Views>(*engine_, Tail::recorded, nullptr);
      views_->show({});
    }
    std::string text;
    engine_->ask("SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")", [&](const Engine::Row& row) {
      for (const std::string_view value : row)
        text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
      text += '\n';
    });
    return text;
  }
  Engine& engine() { return *engine_; }

 private:
  std::vector<v1::Exchange> all_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Views> views_;
};

void set_body(v1::Body& body, const std::string& content, const std::string& type = "text/plain") {
  body.set_capture(v1::CAPTURE_COMPLETE);
  body.set_content(content);
  body.set_size(content.size());
  body.set_content_type(type);
}

void add_field(v1::Response& response, const std::string& name, const std::string& value) {
  v1::Field& field = *response.add_fields();
  field.set_name(name);
  field.set_value(value);
}

TEST_CASE("an exchange is a row") {
  Asked asked;
  v1::Exchange& one = asked.add();
  one.mutable_request()->set_method("GET");
  one.mutable_request()->set_target("/searches/42?x=1");
  one.mutable_response()->set_status(200);
  one.mutable_decision()->set_route("search-read");
  one.mutable_timing()->set_last_byte(1400);
  CHECK(asked.ask("SELECT created_at, kind, outcome, method, target, path, status, route, "
                  "latency_us, first_byte_us FROM exchanges") ==
        "|2025-11-21 09:00:00.123456|PRIMARY|COMPLETED|GET|/searches/42?x=1|/searches/42|200|"
        "search-read|1400|NULL\n");
}

TEST_CASE("what is not there is NULL, and never an empty text or a zero") {
  Asked asked;
  asked.add();
  CHECK(asked.ask("SELECT status, route, account_id, bucket, parent_id, trace_id, request_body, "
                  "response_body, response_body_bytes, error FROM exchanges") ==
        "|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n");
}

TEST_CASE("an empty body is text without a character") {
  Asked asked;
  set_body(*asked.add().mutable_response()->mutable_body(), "");
  CHECK(asked.ask("SELECT response_body = '', response_capture FROM exchanges") ==
        "|true|COMPLETE\n");
}

TEST_CASE("header fields are lists under their names in lower case") {
  Asked asked;
  v1::Response& response = *asked.add().mutable_response();
  add_field(response, "Set-Cookie", "a=1");
  add_field(response, "Content-Type", "text/html");
  add_field(response, "set-cookie", "b=2");
  CHECK(asked.ask("SELECT response_headers['set-cookie'], response_headers['content-type'][1], "
                  "response_headers['absent'][1] FROM exchanges") ==
        "|['a=1', 'b=2']|text/html|NULL\n");
}

TEST_CASE("a body that is no text is in the column for octets, and the other way round") {
  Asked asked;
  set_body(*asked.add().mutable_response()->mutable_body(), "{\"a\":\"\xC3\xA4\"}");
  set_body(*asked.add().mutable_response()->mutable_body(), std::string("\xFF\x00\x01", 3));
  CHECK(asked.ask("SELECT response_body, octet_length(response_body_bytes) FROM exchanges") ==
        "|{\"a\":\"\xC3\xA4\"}|NULL\n|NULL|3\n");
}

TEST_CASE("octets that are no UTF-8 do not break the rows beside them") {
  Asked asked;
  asked.add().mutable_request()->set_target("/caf\xE9");
  asked.add().mutable_request()->set_target("/caf\xC3\xA9");
  CHECK(asked.ask("SELECT target FROM exchanges") ==
        "|/caf\xEF\xBF\xBD\n|/caf\xC3\xA9\n");
}

TEST_CASE("a compressed body is read as what it holds, also as JSON") {
  // gzip of {"total":7}
  static constexpr unsigned char kGzip[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0x2a, 0xc9, 0x2f,
      0x49, 0xcc, 0x51, 0xb2, 0x32, 0xaf, 0x05, 0x00, 0xb5, 0x8f, 0x91, 0x43, 0x0b, 0x00, 0x00,
      0x00};
  Asked asked;
  v1::Body& body = *asked.add().mutable_response()->mutable_body();
  set_body(body, std::string(reinterpret_cast<const char*>(kGzip), sizeof kGzip),
           "application/json");
  body.set_content_coding("gzip");
  CHECK(asked.ask("SELECT response_body, (response_body->>'total')::INT + 1 FROM exchanges") ==
        "|{\"total\":7}|8\n");
}

TEST_CASE("more rows than a chunk holds, with headers in each") {
  Asked asked;
  for (int i = 0; i < 5000; ++i) {
    v1::Response& response = *asked.add().mutable_response();
    response.set_status(static_cast<std::uint32_t>(200 + i % 3));
    for (int field = 0; field <= i % 4; ++field)
      add_field(response, fmt::format("x-{}", field), fmt::format("{}", i));
  }
  CHECK(asked.ask("SELECT status, count(*) FROM exchanges GROUP BY 1 ORDER BY 1") ==
        "|200|1667\n|201|1667\n|202|1666\n");
  CHECK(asked.ask("SELECT count(*), sum(cardinality(response_headers)), "
                  "sum(response_headers['x-0'][1]::INT) FROM exchanges") ==
        "|5000|12500|12497500\n");
}

TEST_CASE("pairs have both answers side by side, and only those whose primary is there") {
  Asked asked;
  v1::Exchange& primary = asked.add();
  primary.mutable_response()->set_status(200);
  const std::string id = primary.id();
  v1::Exchange& shadow = asked.add(v1::KIND_SHADOW);
  shadow.set_parent_id(id);
  shadow.mutable_response()->set_status(500);
  asked.add(v1::KIND_SHADOW).set_parent_id(std::string(16, '\7'));
  CHECK(asked.ask("SELECT kind, status, copy_status FROM pairs") == "|SHADOW|200|500\n");
}

TEST_CASE("a source that fails, fails the statement with its own words") {
  class Broken : public ExchangeSource {
   public:
    const v1::Exchange* next() override { throw std::runtime_error("the disk is gone"); }
  };
  Engine engine;
  add_exchanges(engine, [] { return std::make_unique<Broken>(); });
  std::string why;
  try {
    engine.ask("SELECT id FROM exchanges", [](const Engine::Row&) {});
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  CHECK(why == "the disk is gone");
}

TEST_CASE("what does not fit into memory goes to a folder that is nobody else's and not there later") {
  std::filesystem::path spill;
  {
    Engine engine;
    engine.run("SET memory_limit = '40MB'");
    engine.run("SET threads = 1");
    std::string rows;
    engine.ask("SELECT count(*)::VARCHAR, current_setting('temp_directory') FROM (SELECT "
               "row_number() OVER (ORDER BY md5(range::VARCHAR)) AS n FROM range(1000000))",
               [&](const Engine::Row& row) {
                 rows = row[0];
                 spill = std::string(row[1]);
               });
    CHECK(rows == "1000000");
    REQUIRE(std::filesystem::is_directory(spill));
    CHECK(std::filesystem::status(spill).permissions() == std::filesystem::perms::owner_all);
  }
  CHECK_FALSE(std::filesystem::exists(spill));
}

TEST_CASE("SQL that is wrong is told in one line, before anything is read") {
  Asked asked;
  asked.add();
  asked.ask("SELECT 1");
  for (const char* const sql : {"SELEC 1", "SELECT nothing FROM exchanges", "", "SELECT 1; SELECT 2",
                                "SELECT * FROM nowhere"}) {
    INFO(sql);
    std::string why;
    try {
      asked.engine().look_at(sql);
    } catch (const SqlError& error) {
      why = error.what();
    }
    CHECK_FALSE(why.empty());
    CHECK(why.find('\n') == std::string::npos);
  }
}

TEST_CASE("nothing is fetched by itself") {
  Asked asked;
  asked.add();
  CHECK(asked.ask("SELECT value FROM duckdb_settings() WHERE name IN "
                  "('autoinstall_known_extensions', 'autoload_known_extensions')") ==
        "|false\n|false\n");
}

}  // namespace
}  // namespace segue::warehouse
