#pragma once

#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/tenure.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

// Files that are being rewritten without some of their rows (`_forgetting.json`): between a file
// and what the books say of it somebody may be killed. Empty: none.
std::vector<std::string> files_being_forgotten(ObjectStore& store);
void set_files_being_forgotten(ObjectStore& store, const std::vector<std::string>& keys);
void clear_files_being_forgotten(ObjectStore& store);

// Says in the books how a file is now, and that what is missing there was forgotten. A file that is
// in no book, and one whose book is right, stay as they are.
void say_forgotten(Archive& archive, const std::string& key, const FileFacts& now);

// Brings the books in line with what a killed `forget` had rewritten.
void mend_forgetting(Archive& archive, Workbench& bench, Tenure& tenure);

}  // namespace segue::warehouse
