#pragma once

#include <memory>

#include "tests/support/versitygw.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::test {

// Makes an archive of three days, by its own archiver and compactor, whose first two days are
// compacted: texts, JSON, bodies that are compressed, bodies of octets, headers with several values
// and none in ASCII, exchanges without an answer, FINISH records within a day and a day later, records
// that came twice, and one that is no exchange.
void archive_three_days(warehouse::ObjectStore& store);
// The same in S3: s3://traffic/segue/eu.
std::unique_ptr<warehouse::ObjectStore> archive_three_days(const Versitygw& server);

}  // namespace segue::test
