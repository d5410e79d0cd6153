#pragma once

#include <filesystem>
#include <string_view>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// "PATH: cannot DOING: REASON", and a way out where there is one to be said in general. `number` is
// an errno.
StorageError disk_error(const std::filesystem::path& path, std::string_view doing, int number);

}  // namespace segue::warehouse
