#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// The contents of small objects in the order of their keys, up to 16 asked for at a time; absent:
// nullopt. Throws as the store does, when all that was asked for is answered.
std::vector<std::optional<std::string>> read_several(ObjectStore& store,
                                                     std::span<const std::string> keys);

}  // namespace segue::warehouse
