#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using testing::load_changed;
using warehouse::ArchiveFrom;
using Names = std::vector<std::string>;

constexpr std::string_view kPlainAccounts =
    "\ndefaults: { record: { redact: { headers: [x-token] }, key_mode: plain } }";
constexpr std::string_view kHashedAccounts =
    "\ndefaults: { record: { key: \"header:x-user\", redact: { headers: [x-token] }, key_mode: hash } }";

LoadResult load_archive(const std::string& archive, std::string_view more = kPlainAccounts) {
  return load_changed("archive: " + archive + std::string(more));
}

std::string errors_of(const LoadResult& result) {
  std::string all;
  for (const Diagnostic& error : result.errors)
    all += fmt::format("{} {} ({})\n", error.code, error.message, error.hint);
  return all;
}

TEST_CASE("archive is read whole, and makes the archiver a consumer of the journal") {
  const LoadResult result = load_archive(
      "{ from: journal, to: \"archive:s3://shop/records/\", flush: { rows: 1000, every: 2s },\n"
      "  manifest: shop.files,\n"
      "  s3: { endpoint: \"https://s3.internal:7070/\", region: eu-central-1, path_style: false,\n"
      "        credentials: { file: s3.keys }, ca: ca.pem } }");
  CHECK(errors_of(result).empty());
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->archives);
  const warehouse::ArchiveSettings& archive = result.settings->archive;
  CHECK(archive.from == ArchiveFrom::journal);
  CHECK(archive.to.name() == "archive:s3://shop/records");
  CHECK(archive.flush_rows == 1000);
  CHECK(archive.flush_every == std::chrono::seconds{2});
  CHECK(archive.manifest == "shop.files");
  CHECK(archive.s3.endpoint == "https://s3.internal:7070");
  CHECK(archive.s3.region == "eu-central-1");
  CHECK_FALSE(archive.s3.path_style);
  CHECK(archive.s3.credentials_file == "s3.keys");
  CHECK(archive.s3.ca == "ca.pem");
  CHECK(result.settings->journal.consumers == Names{"archiver"});
}

TEST_CASE("without archive nobody archives the journal, and the place of one is known") {
  const LoadResult result = load_changed("");
  REQUIRE(result.settings.has_value());
  CHECK_FALSE(result.settings->archives);
  CHECK(result.settings->archive.to.folder == "data/archive");
  CHECK(result.settings->journal.consumers.empty());
}

TEST_CASE("an archive from Kafka leaves the journal to the publisher") {
  const LoadResult result =
      load_archive("{ from: kafka }\nrecorder: { kafka: { brokers: [\"kafka:9092\"] } }");
  CHECK(errors_of(result).empty());
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->journal.consumers == Names{"publisher"});
}

TEST_CASE("what archive cannot be is refused with what to do instead") {
  CHECK(errors_of(load_archive("{ to: ./data }")) ==
        "E014 archive.to must be archive:DIR or archive:s3://BUCKET/PREFIX, not './data' ()\n");
  CHECK(errors_of(load_archive("{ to: \"archive:s3://\" }")) ==
        "E014 archive.to must be archive:DIR or archive:s3://BUCKET/PREFIX, not "
        "'archive:s3://' ()\n");
  CHECK(errors_of(load_archive("{ from: kafka }")) ==
        "E013 archive.from is kafka, and no Kafka is configured (recorder: { kafka: { brokers: "
        "[host:port] } }, or from: journal)\n");
  CHECK(errors_of(load_archive("{ flush: { every: 1ms } }")) ==
        "E011 archive.flush.every must be between 100ms and 24h, not 1ms ()\n");
  CHECK(errors_of(load_archive("{ s3: { endpoint: \"s3.internal\" } }")) ==
        "E014 archive.s3.endpoint must be http://HOST:PORT or https://HOST, not 's3.internal' "
        "()\n");
  CHECK(errors_of(load_archive("{ s3: { endpoint: \"https://me:secret@s3.internal\" } }")) ==
        "E024 archive.s3.endpoint cannot hold a user or password (use credentials: { file: path "
        "})\n");
  CHECK(errors_of(load_archive("{ s3: { credentials: AKIA } }")) ==
        "E024 archive.s3.credentials is a secret and cannot be written here (write { file: path "
        "})\n");
}

TEST_CASE("an archive that several gateways share needs their common key for hashed accounts") {
  CHECK(errors_of(load_archive("{ to: \"archive:s3://shop\" }", kHashedAccounts))
            .starts_with("E029 account ids of "));
  CHECK(errors_of(load_archive("{ to: \"archive:data/archive\" }", kHashedAccounts)).empty());
}

}  // namespace
}  // namespace segue::config
