#pragma once

#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/tenure.hpp"

namespace segue::warehouse {

// A file that is being replaced by one without some of its rows (`_forgetting.json`): between that
// and what the books say of it somebody may be killed.
struct HalfForgotten {
  std::string key;
  // How it is to be then: only a file that is just so is taken for the new one. nullopt: it is in
  // no book (comparisons), or an older version was at work, which did not say.
  std::optional<FileFacts> becomes;
};

// Those that are named just now. Throws StorageError, RemoteError.
std::vector<HalfForgotten> half_forgotten(ObjectStore& store);
// Names them, before the first one is replaced; none: nothing is half done.
void set_half_forgotten(ObjectStore& store, const std::vector<HalfForgotten>& files);

// The ids of the exchanges whose rows are going (`_forgetting_ids.json`): once an exchange's own row
// went nothing else tells that its FINISH and its comparisons in other files are to go, too. Named
// before the first file is replaced, until no file can hold any. Empty: none. Throw StorageError,
// RemoteError.
std::vector<std::string> ids_being_forgotten(ObjectStore& store);
void set_ids_being_forgotten(ObjectStore& store, const std::vector<std::string>& ids);
std::string forgetting_ids_key();

// A file that is neither as its books say nor as `forget` was writing it.
struct UnmendedFile {
  HalfForgotten file;
  std::string what;  // is wrong with which file, and what to do: one line
};

// Brings the books in line with what a killed `forget` had rewritten. What cannot be told for right
// stays wrong in the books, stays named, and is returned: the others are not held up.
std::vector<UnmendedFile> mend_forgetting(Archive& archive, Tenure& tenure);

}  // namespace segue::warehouse
