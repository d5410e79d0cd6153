// Archives made-up records until it is killed, or they are at their end.
//   archive_victim ARCHIVE ENDPOINT CREDENTIALS_FILE STAGING END
// ENDPOINT and CREDENTIALS_FILE are empty for an archive in a folder.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/warehouse/archive/given_records.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/location.hpp"

int main(int argc, char** argv) {
  using namespace segue::warehouse;
  if (argc != 6) return 2;
  try {
    S3Settings s3;
    s3.endpoint = argv[2];
    s3.credentials_file = argv[3];
    const auto store = open_store(*parse_location(argv[1]), s3);
    Archive archive = Archive::open_or_create(*store);
    segue::test::GivenRecords source;
    const std::uint64_t end = std::strtoull(argv[5], nullptr, 10);
    source.extents = {{{"shop", "0"}, {0, end}}, {{"shop", "1"}, {0, end}}};
    ArchiveFileEncoder encoder;
    ArchiverOptions options;
    options.staging = argv[4];
    options.writer = "a victim";
    options.flush_rows = 100;
    source.at_a_time = 500;  // so that both chains move on
    Archiver archiver(archive, source, encoder, options);
    const auto waits = [&](const Chain& chain) { return archive.tip(chain).next < end; };
    do {
      archiver.run_once();
    } while (waits({"shop", "0"}) || waits({"shop", "1"}));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
