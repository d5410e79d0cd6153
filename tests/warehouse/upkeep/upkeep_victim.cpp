// What tests kill: `upkeep_victim FOLDER STAGING compact|retention|forget DAY_OR_ACCOUNT`.
#include <cstdio>
#include <exception>
#include <string>

#include "warehouse/archive/archive.hpp"
#include "warehouse/storage/folder_store.hpp"
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
    Tenure tenure(archive.store(), "retention");
    Retention(archive, *parse_day(about)).run(tenure);
  } else {
    CompactionOptions options;
    options.before = *parse_day(about);
    options.target_bytes = 1 << 16;  // several files a day
    Compactor(archive, bench, options, kNow).run();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    FolderStore store(argv[1]);
    Archive archive = Archive::open(store);
    Workbench bench(store, {.staging = argv[2]});
    work(archive, bench, argv[3], argv[4]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
