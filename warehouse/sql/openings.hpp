#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// An object as somebody opened it: reads of it are of this version or fail.
struct OpenObject {
  std::string key;
  ObjectVersion version;
  // Tells this version from all others of the object, also where the store cannot.
  std::string identity;
};

// A statement opens each of its files several times, for its footer and in each of its threads; what
// it reads fits together only when they are all as the first time. Any thread.
class Openings {
 public:
  static constexpr std::size_t kRemembered = 65'536;  // the oldest are forgotten

  // A number for openings that belong together.
  std::uint64_t next();
  // The object as it was the first time under this number; nullopt: this is the first time, or it
  // is forgotten.
  std::optional<OpenObject> first(std::uint64_t number, std::string_view key);
  // The object is from now on as `object` under this number, and is returned; but what another
  // thread was faster to say counts.
  OpenObject remember(std::uint64_t number, OpenObject object);

 private:
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, OpenObject> first_;  // by number
};

}  // namespace segue::warehouse
