#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "warehouse/restore/archived_range.hpp"

namespace segue::warehouse {

// Says of records whether the archive has them at their very offsets. Some thousand rows are looked
// up at a time, so memory is bounded, and offsets are to come in ascending order. One thread; all
// that is given outlives it.
class ArchivedIdentities {
 public:
  ArchivedIdentities(Engine& engine, const ArchivedChain& chain) : engine_(engine), chain_(chain) {}

  // The same exchange by its id; what is none, the same octets. Throws SqlError.
  bool has(std::uint64_t offset, std::string_view payload);

 private:
  void look_up(std::uint64_t offset);

  Engine& engine_;
  const ArchivedChain& chain_;
  std::size_t range_ = 0;     // of the chain's: none before it is of interest any more
  std::uint64_t next_ = 0;    // all before it was looked up
  std::unordered_map<std::uint64_t, std::string> rows_;  // ids; of what is no exchange SHA-256
};

}  // namespace segue::warehouse
