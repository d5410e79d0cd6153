#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/archive/archive.hpp"

namespace segue::warehouse {

// The files of an archive at one moment, and how far they go in each chain: who reads these files,
// and of each chain's source what is behind, reads every record once, whatever is published or
// compacted meanwhile. Any thread; the archive outlives it.
class ArchivedListing {
 public:
  // Throws StorageError, RemoteError.
  explicit ArchivedListing(const Archive& archive);

  const std::string& archive_id() const noexcept { return archive_.id(); }
  const std::vector<StoredObject>& files() const noexcept { return files_; }
  // The last record of a partition that lies in these files; nullopt: none does. `topic` empty:
  // that of whichever chain has the partition (those of journals are named for nobody else). Of a
  // topic with several epochs the last one counts. Throws StorageError, RemoteError.
  std::optional<std::uint64_t> end(std::string_view topic, std::string_view partition) const;

 private:
  struct Range {
    std::uint64_t start;
    std::uint64_t end;
  };
  using Ranges = std::map<Chain, std::vector<Range>>;

  void list();
  static Ranges ranges_of(const std::vector<StoredObject>& files);
  static std::vector<std::pair<Chain, std::uint64_t>> holes(const Ranges& ranges);
  std::optional<std::uint64_t> end_of(const Chain& chain) const;
  std::optional<std::uint64_t> end_by_claims(const Chain& chain, std::uint64_t from) const;
  bool holds(const ClaimState& state) const;

  const Archive& archive_;
  std::optional<Day> watermark_;
  std::vector<StoredObject> files_;
  Ranges ranges_;  // of files of raw/
  std::vector<Chain> chains_;
  mutable std::mutex mutex_;
  mutable std::map<Chain, std::optional<std::uint64_t>> ends_;  // that were asked for
};

}  // namespace segue::warehouse
