#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// What is kept in memory of objects that statements read, for the statements that follow.
struct ObjectCacheSettings {
  std::uint64_t block_bytes = 64 << 10;     // what is asked for begins and ends at its multiples
  std::uint64_t total_bytes = 128 << 20;    // the least recently used go first
  std::uint64_t request_bytes = 16 << 20;   // more than that is asked for in several requests
};

// An object as somebody opened it: reads of it are of this version or fail.
struct OpenObject {
  std::string key;
  ObjectVersion version;
  // Tells this version from all others of the object, also where the store cannot.
  std::string identity;
};

// Reads ranges of objects through blocks that it keeps: footers above all. A range much larger than
// what can be kept passes by, so that a scan does not drive the footers out. Any thread, several at
// a time; two that miss the same block both ask for it. The store outlives it.
class ObjectCache {
 public:
  ObjectCache(ObjectStore& store, const ObjectCacheSettings& settings)
      : store_(&store), settings_(settings) {}

  ObjectStore& store() const noexcept { return *store_; }
  // nullopt: there is none. Asks the store each time; of what it has nothing of yet it takes the end
  // along, which readers of Parquet read first and where small files are whole.
  std::optional<OpenObject> open(std::string_view key);
  // Fills `into` from `offset` on. Throws as ObjectStore does, also when the object ends before.
  void read(const OpenObject& object, std::uint64_t offset, std::span<char> into);

 private:
  struct Block {
    std::string name;
    std::string content;
  };
  using Kept = std::shared_ptr<const Block>;

  OpenObject opened(std::string_view key, ObjectVersion version);
  bool holds_some_of(std::string_view key);
  void keep_end(const OpenObject& object, std::string_view end);
  std::string name_of(const OpenObject& object, std::uint64_t index) const;
  Kept find(const std::string& name);
  void keep(Kept block);
  std::vector<Kept> fetch(const OpenObject& object, std::uint64_t first, std::uint64_t last);

  ObjectStore* store_;
  ObjectCacheSettings settings_;
  std::mutex mutex_;
  std::uint64_t untold_ = 0;  // versions of objects that the store cannot tell apart
  std::uint64_t bytes_ = 0;
  std::list<Kept> blocks_;  // the most recently used first
  std::map<std::string_view, std::list<Kept>::iterator> by_name_;
};

}  // namespace segue::warehouse
