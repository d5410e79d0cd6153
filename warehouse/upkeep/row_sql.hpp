#pragma once

#include <string>

namespace segue::warehouse {

// All columns that a file of an archive has, with those that `select` does not give as NULL: files
// of older schemas have fewer. The columns of `select` come in the order of a file.
std::string with_all_columns(const std::string& select);

// What tells a record from every other one of the archive, and its fingerprint, which adds up to
// the same whatever the order.
inline constexpr const char* kPlaceColumns = "\"source\", \"partition\", \"offset\"";
std::string count_places(const std::string& rows);  // count, distinct places, fingerprint

}  // namespace segue::warehouse
