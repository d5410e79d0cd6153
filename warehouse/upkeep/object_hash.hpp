#pragma once

#include <string>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// SHA-256 of an object that is there, in 64 hexadecimal digits; it is read piece by piece. Throws
// StorageError, RemoteError.
std::string sha256_of_object(ObjectStore& store, const std::string& key);

}  // namespace segue::warehouse
