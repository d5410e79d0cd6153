#include "tests/warehouse/upkeep/in_s3.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/patience.hpp"
#include "tests/warehouse/storage/settings_for.hpp"
#include "warehouse/storage/location.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

constexpr const char* kName = "archive:s3://shop/p";

}  // namespace

InS3::InS3(const std::function<void(MadeArchive&)>& fill)
    : store_(open()), archive_(copied(fill)), bench_(*store_) {}

std::unique_ptr<ObjectStore> InS3::open() const {
  server_.make_bucket("shop");
  return open_store(*parse_location(kName), settings_for(server_));
}

std::vector<std::string> InS3::opening() const {
  return {kName, server_.url(), server_.credentials_file().string()};
}

Archive InS3::copied(const std::function<void(MadeArchive&)>& fill) {
  MadeArchive made;
  fill(made);
  made.store().list("", "", [&](const StoredObject& object) {
    store_->create_from(object.key, made.path_of(object.key));
  });
  return Archive::open(*store_);
}

std::size_t InS3::findings() {
  const auto report =
      Verification(archive_, *bench_, {.rows = VerificationOptions::Rows::each}, kNow).run();
  for (const Finding& finding : report.findings)
    UNSCOPED_INFO(name_of(finding.kind) << " " << finding.where << ": " << finding.what);
  return report.findings.size();
}

std::vector<std::uint64_t> InS3::counts() {
  for (const test::Deadline deadline;;) {
    std::vector<std::string> keys;
    for (const StoredObject& file : archive_.files()) keys.push_back(file.key);
    try {
      return (*bench_).numbers(
          "SELECT count(*), count(DISTINCT id), count_if(account_id = 'ann') FROM " +
          (*bench_).rows_of(keys));
    } catch (const StorageError&) {
      if (deadline.left() <= 0) throw;
    }
  }
}

}  // namespace segue::warehouse
