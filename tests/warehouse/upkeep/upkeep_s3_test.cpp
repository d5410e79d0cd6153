// An archive in S3, on a real server, is looked after as one in a folder is.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/versitygw.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/storage/location.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting.hpp"
#include "warehouse/upkeep/retention.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

constexpr std::int64_t kNow = 1'800'000'000'000'000;
const Day kDay = *parse_day("2026-11-10");
const Chain kChain{"shop", "0"};

Day day(int number) { return kDay + std::chrono::days(number); }

class InS3 {
 public:
  InS3() : store_(open()), archive_(copied()) {}

  Archive& archive() { return archive_; }
  std::size_t findings() {
    MadeBench bench(*store_);
    const auto report =
        Verification(archive_, *bench, {.rows = VerificationOptions::Rows::each}, kNow).run();
    for (const Finding& finding : report.findings)
      UNSCOPED_INFO(name_of(finding.kind) << " " << finding.where << ": " << finding.what);
    return report.findings.size();
  }
  std::vector<std::uint64_t> counts() {
    MadeBench bench(*store_);
    std::vector<std::string> keys;
    for (const StoredObject& file : archive_.files()) keys.push_back(file.key);
    return (*bench).numbers("SELECT count(*), count(DISTINCT id), count_if(account_id = 'ann') FROM " +
                            (*bench).rows_of(keys));
  }
  ObjectStore& store() { return *store_; }

 private:
  std::unique_ptr<ObjectStore> open() {
    server_.make_bucket("shop");
    S3Settings settings;
    settings.endpoint = server_.url();
    settings.credentials_file = server_.credentials_file();
    return open_store(*parse_location("archive:s3://shop/p"), settings);
  }
  // Three days of two files each.
  Archive copied() {
    MadeArchive made;
    for (int i = 0; i < 6; ++i) {
      const auto id = static_cast<std::uint64_t>(i) * 3 + 1;
      made.add(kChain, day(i / 2), {{.id = id, .account = "ann"}, {.id = id + 1}, {.id = id + 2}});
    }
    made.store().list("", "", [&](const StoredObject& object) {
      store_->create_from(object.key, made.path_of(object.key));
    });
    return Archive::open(*store_);
  }

  Versitygw server_;
  std::unique_ptr<ObjectStore> store_;
  Archive archive_;
};

TEST_CASE("an archive in S3 is compacted, verified, cleared of an account and of old days") {
  InS3 made;
  using Counts = std::vector<std::uint64_t>;
  CHECK(made.counts() == Counts{18, 18, 6});
  CHECK(made.findings() == 0);
  {
    MadeBench bench(made.store());
    CHECK(Compactor(made.archive(), *bench, {.before = day(2)}, kNow).run().days.size() == 2);
  }
  CHECK(made.counts() == Counts{18, 18, 6});
  CHECK(made.findings() == 0);
  {
    MadeBench bench(made.store());
    CHECK(Forgetting(made.archive(), *bench, {"ann"}).run().days.size() == 3);
  }
  CHECK(made.counts() == Counts{12, 12, 0});
  CHECK(made.findings() == 0);
  {
    Tenure tenure(made.store(), "retention");
    CHECK(Retention(made.archive(), day(1)).run(tenure).days == 1);
  }
  CHECK(made.counts() == Counts{8, 8, 0});
  CHECK(made.findings() == 0);
}

}  // namespace
}  // namespace segue::warehouse
