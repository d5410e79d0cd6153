#pragma once

#include <filesystem>
#include <string>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// Objects from their first octet to the last, read piece by piece, so that memory stays small
// however large they are. Both throw RemoteError, and StorageError: the object is not there, or was
// replaced while it was read and the store can tell.

// Copies an object to a file of this machine, over what lies there. Of what failed no file stays: a
// disk that is full gets its room back.
void fetch(ObjectStore& store, const std::string& key, const std::filesystem::path& into);

// SHA-256 in 64 hexadecimal digits.
std::string sha256_of_object(ObjectStore& store, const std::string& key);

}  // namespace segue::warehouse
