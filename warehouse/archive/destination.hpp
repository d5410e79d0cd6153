#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "warehouse/archive/archive.hpp"

namespace segue::warehouse {

// Which archive a journal is archived into, in DIR/archive.json:
// {"format_version":1,"archive":"<id>","place":"archive:/data/archive"}. The archiver's cursors are
// the journal's, and what they have passed may go: so they are moved for one archive, and for
// another one only when somebody says so. The file is there before a cursor is moved, and is
// replaced whole. Throws StorageError.
struct Destination {
  std::string archive;  // its id
  std::string place;    // where it was last: archive:/FOLDER, archive:s3://BUCKET/PREFIX
};

Destination destination_of(const Archive& archive);

// nullopt: it has none yet.
std::optional<Destination> find_destination(const std::filesystem::path& journal);

// Makes it that of a journal that has none; says which one it has then. Of several processes that
// do it at the same time all get the same.
Destination settle_destination(const std::filesystem::path& journal, const Destination& wanted);

// Whatever it was.
void change_destination(const std::filesystem::path& journal, const Destination& wanted);

// The archive in `store`, for a journal's archiver; an empty place becomes one for a journal that
// has none yet. Throws before anything is made where the journal's archive is another one, or is not
// there: its disk may not be mounted.
Archive open_archive_of(const std::filesystem::path& journal, ObjectStore& store);

// What to say of an archive that is not this journal's.
StorageError not_its_archive(const std::filesystem::path& journal, const Destination& its,
                             const Destination& other);

}  // namespace segue::warehouse
