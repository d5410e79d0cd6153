#pragma once

#include <string>
#include <string_view>

#include "warehouse/sql/engine.hpp"
#include "warehouse/sql/object_cache.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// The path by which a statement reads an object, or the objects of a pattern: archive://KEY. As it
// is, not as a literal of SQL. Patterns (`*`, `**`, `?`, `[`) are DuckDB's.
std::string sql_path(std::string_view key);

// From now on statements of `engine` read archive://KEY from `store`, which outlives it: in ranges,
// from several threads, never to write. What the store throws comes out of the statement as it is
// (StorageError, RemoteError), also of an object that is replaced while a statement reads it: what
// it was and what it became are not mixed. Files of a folder are read as such, not through the
// cache. Once per engine.
void mount(Engine& engine, ObjectStore& store, const ObjectCacheSettings& cache = {});

// The same for who only asks, again and again: what the ends of files say is kept, and where objects
// are not files of this machine up to 16 are waited for at a time, on however few cores.
void mount_to_ask(Engine& engine, ObjectStore& store);

}  // namespace segue::warehouse
