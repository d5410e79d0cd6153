#pragma once

#include <optional>
#include <string>

#include "warehouse/archive/archive.hpp"

namespace segue::warehouse {

// What the books say of a file of raw/ (its claim's `.done`) or of compact/ (its day's record).
// nullopt: it is in none, as those of comparisons/. Throws StorageError, RemoteError.
std::optional<FileFacts> facts_in_books(ObjectStore& store, const std::string& key);

// Says in the books how a file is now, and that what is missing there was forgotten. A file that is
// in no book, and one whose book is right, stay as they are.
void say_forgotten(ObjectStore& store, const std::string& key, const FileFacts& now);

}  // namespace segue::warehouse
