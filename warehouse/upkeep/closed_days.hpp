#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/archive/archive.hpp"

namespace segue::warehouse {

// What claims say about the days from a watermark on.
struct DayClaims {
  std::map<Day, std::vector<ClaimState>> done;  // that have a file, by the day under which it lies
  std::vector<Claim> open;                      // no `.done` yet
  std::map<Chain, std::uint64_t> ends;          // of each chain: behind its last claim
};

// Who was killed while the watermark moved left a table for other engines that is ahead of it: that
// day is compacted, and those engines read it so already. To be called first in every term, before
// what lies behind the watermark is taken for unfinished.
void mend_watermark(Archive& archive);

// Reads the claims whose files may lie under `since` or later; nullopt: all. A chain is begun where
// note_compacted() said, so that years of claims are not read each night, and read up to the first
// claim that a listing does not show. Throws StorageError where one is gone.
DayClaims read_day_claims(const Archive& archive, std::optional<Day> since);

// Keeps for read_day_claims() where the claims begin that have files under `before` or later, or
// are open. A hint: without it all are read.
void note_compacted(const Archive& archive, const DayClaims& claims, Day before);

// The days before this one were taken away (`retention`), or are being so; nullopt: none.
std::optional<Day> retained_from(ObjectStore& store);
void set_retained_from(ObjectStore& store, Day day);

// `.done` of the claim whose file is called so, whether that is there or not; nullopt: it is no
// name of a raw file.
std::optional<std::string> done_key_of_raw(std::string_view key);

}  // namespace segue::warehouse
