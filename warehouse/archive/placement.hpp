#pragma once

#include <optional>
#include <string>

#include "warehouse/archive/archive.hpp"

namespace segue::warehouse {

// Where the file of a claim comes to lie. A claim names a day; compaction may begin to close that
// day at any moment. So the place is an object of its own, `<start>.json.placed`, made by whoever
// comes first behind the claim, its writer or one who repairs it, and never changed: all publish to
// the same key. Who makes it looks for closing days only behind the claim, so a compaction that did
// not see the claim when it listed claims has closed its day before, and the file goes elsewhere;
// one that saw it waits for its `.done`, which says where the file is.

std::string placement_key(const Chain& chain, std::uint64_t start);  // .../<start>.json.placed

// The first day from `at_least` on under which files may come to lie: behind all that are closing
// or compacted.
Day first_open_day(const Archive& archive, Day at_least);

// nullopt: not placed yet.
std::optional<Day> placement(const Archive& archive, const Claim& claim);
// Places a claim, or finds where it was placed. Throws StorageError, RemoteError.
Day place(Archive& archive, const Claim& claim);

}  // namespace segue::warehouse
