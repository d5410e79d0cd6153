// Files of an archive as statements see them, and as records are made of them again.
#include "warehouse/sql/views.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/sql/record_rows.hpp"

namespace segue::warehouse {
namespace {

using segue::test::TempDir;

const std::string kOlderFile =
    SEGUE_SOURCE_DIR "/tests/warehouse/data/raw/dt=2026-11-01/shop~0~00000000000000000000~3.parquet";

class GivenPayloads : public RecordReader {
 public:
  explicit GivenPayloads(std::vector<std::string> payloads) : payloads_(std::move(payloads)) {}
  std::optional<SourceRecord> next() override {
    if (at_ == payloads_.size()) return std::nullopt;
    const SourceRecord record{at_, payloads_[at_], at_ % 2 == 1};
    ++at_;
    return record;
  }

 private:
  std::vector<std::string> payloads_;
  std::size_t at_ = 0;
};

std::string raw_id(char last) { return std::string(15, '\1') + last; }
std::string text_id(char last) {
  return fmt::format("01010101-0101-0101-0101-0101010101{:02x}", static_cast<unsigned>(last));
}

v1::Exchange exchange(char id, v1::Kind kind = v1::KIND_PRIMARY) {
  v1::Exchange exchange;
  exchange.set_id(raw_id(id));
  exchange.set_kind(kind);
  exchange.set_created_at(1'763'715'600'000'000 + id);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_decision()->set_route("search");
  return exchange;
}

v1::Exchange finish_of(char id, char of, v1::Outcome outcome = v1::OUTCOME_CLIENT_ABORTED) {
  v1::Exchange finish = exchange(id, v1::KIND_FINISH);
  finish.set_parent_id(raw_id(of));
  finish.set_outcome(outcome);
  return finish;
}

// Exchanges in a file of an archive, and statements about them.
class ArchivedFile {
 public:
  explicit ArchivedFile(const std::vector<v1::Exchange>& exchanges,
                        const std::vector<std::string>& others = {}) {
    std::vector<std::string> payloads;
    for (const v1::Exchange& one : exchanges) payloads.push_back(one.SerializeAsString());
    payloads.insert(payloads.end(), others.begin(), others.end());
    const auto day = folder_.path() / "raw/dt=2026-11-20";
    std::filesystem::create_directories(day);
    path_ = (day / "shop~0~00000000000000000000~9.parquet").string();
    GivenPayloads records(std::move(payloads));
    ArchiveFileEncoder().encode({"shop", "0"}, records, path_);
  }

  std::string ask(const std::string& sql, std::vector<std::string> more = {}) {
    more.push_back(path_);
    if (!views_) views_.emplace(engine_, Tail::none, nullptr);
    views_->show({.archive = Archived::yes, .exchanges = std::move(more), .comparisons = {}});
    std::string text;
    engine_.ask("SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")", [&](const Engine::Row& row) {
      for (const std::string_view value : row)
        text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
      text += '\n';
    });
    return text;
  }
  Engine& engine() { return engine_; }
  const std::string& path() const { return path_; }

 private:
  TempDir folder_;
  std::string path_;
  Engine engine_;
  std::optional<Views> views_;
};

TEST_CASE("a FINISH is no row, and its outcome is that of its exchange") {
  ArchivedFile file({exchange(1), exchange(2), finish_of(3, 2)});
  CHECK(file.ask("SELECT id, outcome FROM exchanges ORDER BY id") ==
        fmt::format("|{}|COMPLETED\n|{}|CLIENT_ABORTED\n", text_id(1), text_id(2)));
  CHECK(file.ask("SELECT count(*) FROM exchanges WHERE outcome <> 'COMPLETED'") == "|1\n");
  CHECK(file.ask("SELECT count(*) FROM archived") == "|3\n");
}

TEST_CASE("of several FINISHes of an exchange the last one counts, in whatever order they lie") {
  const v1::Exchange early = finish_of(3, 2, v1::OUTCOME_UPSTREAM_RESET);
  const v1::Exchange late = finish_of(4, 2);
  for (const auto& finishes : {std::vector{early, late}, std::vector{late, early}}) {
    ArchivedFile file({exchange(2), finishes[0], finishes[1]});
    CHECK(file.ask("SELECT outcome FROM exchanges") == "|CLIENT_ABORTED\n");
  }
}

TEST_CASE("an interruption ends what is read beside a statement, too") {
  Engine engine;
  const auto rows = engine.open("SELECT range::VARCHAR FROM range(1000000000000)");
  REQUIRE(rows->next() != nullptr);
  engine.interrupt();
  const auto read_on = [&rows] {
    for (int i = 0; i < 1'000'000; ++i) rows->next();
  };
  CHECK_THROWS_AS(read_on(), SqlError);
}

TEST_CASE("outcomes that were found are freed, and found again when they are needed") {
  int times = 0;
  FoundOutcomes found([&times] { return FinishedOutcomes{{"id", std::to_string(++times)}}; });
  const auto first = found.get();
  CHECK(found.get() == first);
  found.forget();
  CHECK(first->at("id") == "1");
  CHECK(found.get()->at("id") == "2");
  CHECK(times == 2);
}

TEST_CASE("what is no exchange is in the files, and not among exchanges") {
  ArchivedFile file({exchange(1)}, {"no protobuf at all"});
  CHECK(file.ask("SELECT count(*) FROM exchanges") == "|1\n");
  CHECK(file.ask("SELECT kind, record, \"offset\" FROM archived WHERE kind IS NULL") ==
        "|NULL|no protobuf at all|1\n");
}

TEST_CASE("a condition on dt leaves files out unread") {
  ArchivedFile file({exchange(1)});
  CHECK(file.ask("SELECT count(*) FROM exchanges WHERE dt >= '2026-11-20'") == "|1\n");
  CHECK(file.ask("SELECT count(*) FROM exchanges WHERE dt > '2026-11-20'") == "|0\n");
}

TEST_CASE("files of an older schema are read beside new ones, in either order") {
  ArchivedFile file({exchange(1), exchange(2)});
  const std::string sql =
      "SELECT dt, count(*), count(route), count(shadow), count(redelivered) FROM exchanges "
      "GROUP BY dt ORDER BY dt";
  const std::string expected = "|2026-11-01|4|4|0|0\n|2026-11-20|2|2|0|2\n";
  CHECK(file.ask(sql, {kOlderFile}) == expected);
  // Columns that the older file lacks, and a column of it that is called otherwise by now.
  CHECK(file.ask("SELECT DISTINCT config_version, attempts, error FROM exchanges WHERE dt < "
                 "'2026-11-20'",
                 {kOlderFile}) == "|NULL|NULL|NULL\n");
  CHECK(file.ask("SELECT count(*) FROM exchanges WHERE request_headers['accept'][1] = '*/*'",
                 {kOlderFile}) == "|4\n");
}

TEST_CASE("an archive without files has no exchanges, and all columns") {
  Engine engine;
  Views views(engine, Tail::none, nullptr);
  views.show({.archive = Archived::yes, .exchanges = {}, .comparisons = {}});
  std::size_t rows = 0;
  engine.ask("SELECT id FROM exchanges WHERE response_headers['a'][1] = 'b' AND dt > '2026-01-01'",
             [&rows](const Engine::Row&) { ++rows; });
  CHECK(rows == 0);
}

TEST_CASE("records are made of rows again, octet by octet but for decoded bodies") {
  // gzip of {"total":7}
  static constexpr unsigned char kGzip[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0x2a, 0xc9, 0x2f,
      0x49, 0xcc, 0x51, 0xb2, 0x32, 0xaf, 0x05, 0x00, 0xb5, 0x8f, 0x91, 0x43, 0x0b, 0x00, 0x00,
      0x00};
  const std::string gzip(reinterpret_cast<const char*>(kGzip), sizeof kGzip);
  // gzip that is as long as what it holds
  static constexpr unsigned char kEqual[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
                                             0x02, 0x03, 0x4b, 0x4c, 0x4a, 0xc4, 0x0a, 0x01,
                                             0xaa, 0xcf, 0xea, 0xfa, 0x18, 0x00, 0x00, 0x00};
  const std::string equal(reinterpret_cast<const char*>(kEqual), sizeof kEqual);
  const std::string decoded = "abababababababababababab";
  const auto with_body = [](char id, const std::string& content, const std::string& coding) {
    v1::Exchange one = exchange(id);
    v1::Body& body = *one.mutable_response()->mutable_body();
    body.set_capture(v1::CAPTURE_COMPLETE);
    body.set_content(content);
    body.set_size(content.size());
    body.set_content_coding(coding);
    v1::Field& trailer = *one.mutable_response()->add_trailers();
    trailer.set_name("Checksum");
    trailer.set_value("\xff");
    return one;
  };
  std::vector<v1::Exchange> all{with_body(1, "plain", ""), with_body(2, std::string("\xff\0", 2), ""),
                                with_body(3, gzip, "gzip"), with_body(4, gzip.substr(0, 12), "gzip"),
                                finish_of(5, 1), with_body(6, equal, "gzip"),
                                with_body(7, "no gzip", "secret")};
  ArchivedFile file(all, {"no protobuf at all"});
  file.ask("SELECT 1");
  RecordRows rows(file.engine(), "archived ORDER BY \"offset\"");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const RecordRow* const row = rows.next();
    INFO(i);
    REQUIRE(row != nullptr);
    CHECK(row->source == "shop");
    CHECK(row->partition == "0");
    CHECK(row->offset == i);
    CHECK(row->redelivered == (i % 2 == 1));
    REQUIRE(row->is_exchange);
    if (i == 2 || i == 5) {
      CHECK(row->exchange.response().body().content() ==
            (i == 2 ? "{\"total\":7}" : decoded));
      CHECK(row->exchange.response().body().coding_undone());
      continue;
    }
    CHECK(row->exchange.SerializeAsString() == all[i].SerializeAsString());
  }
  const RecordRow* const last = rows.next();
  REQUIRE(last != nullptr);
  CHECK_FALSE(last->is_exchange);
  CHECK(last->octets == "no protobuf at all");
  CHECK(rows.next() == nullptr);
}

}  // namespace
}  // namespace segue::warehouse
