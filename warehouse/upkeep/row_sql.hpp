#pragma once

#include <string>

namespace segue::warehouse {

// What tells a record from every other one of the archive, and its fingerprint, which adds up to
// the same whatever the order.
inline constexpr const char* kPlaceColumns = "\"source\", \"partition\", \"offset\"";
std::string count_places(const std::string& rows);  // count, distinct places, fingerprint

}  // namespace segue::warehouse
