// What tests kill: `upkeep_victim STAGING compact|retention|forget DAY_OR_ACCOUNT ARCHIVE`, and of S3
// behind it its endpoint and a file of credentials.
#include <cstdio>
#include <exception>
#include <string>

#include "warehouse/archive/archive.hpp"
#include "warehouse/storage/location.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting.hpp"
#include "warehouse/upkeep/retention.hpp"

namespace {

using namespace segue::warehouse;

constexpr std::int64_t kNow = 1'800'000'000'000'000;

void work(Archive& archive, Workbench& bench, const std::string& what, const std::string& about) {
  if (what == "forget") {
    Forgetting(archive, bench, {about}).run();
  } else if (what == "retention") {
    Retention(archive, *parse_day(about)).run();
  } else {
    CompactionOptions options;
    options.before = *parse_day(about);
    options.target_bytes = 1 << 16;  // several files a day
    Compactor(archive, bench, options, kNow).run();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 7) return 2;
  try {
    S3Settings s3;
    if (argc == 7) {
      s3.endpoint = argv[5];
      s3.credentials_file = argv[6];
    }
    const auto store = open_store(*parse_location(argv[4]), s3);
    Archive archive = Archive::open(*store);
    Workbench bench(*store, {.staging = argv[1]});
    work(archive, bench, argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
