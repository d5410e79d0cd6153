#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "warehouse/archive/announcements.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/file_encoder.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

// What all chains of an archiver are written with.
struct ChainTools {
  Archive& archive;
  RecordSource& source;
  FileEncoder& encoder;
  const ArchiverOptions& options;
  Announcements& announcements;
  const std::filesystem::path& staging;
  ArchiveTally& tally;
};

// One chain on its way into the archive: what others left open first, then claim after claim. What
// it remembers of the books is taken for true for a minute at most, and never after a failure. One
// thread.
class ChainWriter {
 public:
  ChainWriter(const ChainTools& tools, Chain chain)
      : tools_(tools), chain_(std::move(chain)), told_(tools.announcements.size()) {}

  // Archives what waits now. Throws as Archiver::run_once() does.
  void run();
  // Whether a whole file's worth waits.
  bool has_full_file();

 private:
  void write_what_waits();
  // Knows afterwards where the chain goes on, unless it was told to end.
  void take_up();
  std::optional<Archive::Recent> recent_in_a_row() const;
  bool told_to_end() const { return tools_.options.told_to_end && tools_.options.told_to_end(); }
  void claim_lost(const Waiting& waiting);
  void claim_rows(const Waiting& waiting);
  // Makes the claim; existed: another was first, and the books are to be read again.
  Creation make(Claim& claim);
  Claim begin_claim(std::uint64_t start, std::uint64_t end) const;
  // Publishes what is staged, if it is not there yet, and says so.
  Done publish(const Claim& claim, const std::filesystem::path& staged);
  Done repair(const Claim& claim);
  Done say_done(const Claim& claim, const Done& done);
  FileFacts facts_of_published(const Claim& claim, const std::string& key) const;
  void go_on_behind(const Claim& claim, const Done& done);
  void tell(const Claim& claim, const Done& done);
  bool may_catch_up() const;
  std::int64_t now() const;

  ChainTools tools_;
  Chain chain_;
  std::optional<std::uint64_t> next_;  // none: the books are to be read
  std::optional<Day> last_day_;        // of the last claim
  std::chrono::steady_clock::time_point read_at_{};
  // What an observer knows of the chain: all before `next`, and of what is behind it nothing.
  struct Told {
    std::uint64_t next = 0;
    bool missed = false;  // it is to hear of what the books have first
    std::uint64_t untold = 0;  // claims that it missed and that the books still have for it
  };
  std::vector<Told> told_;  // as Announcements counts them
  std::optional<std::uint64_t> yielded_;  // where the last claim was another's
  std::uint64_t behind_checkpoint_ = 0;  // claims
};

}  // namespace segue::warehouse
