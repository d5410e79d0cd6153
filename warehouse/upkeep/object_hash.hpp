#pragma once

#include <string>
#include <string_view>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// SHA-256 in 64 hexadecimal digits.
std::string sha256_of(std::string_view text);
// The same of an object that is there, read piece by piece. Throws StorageError, RemoteError.
std::string sha256_of_object(ObjectStore& store, const std::string& key);

}  // namespace segue::warehouse
