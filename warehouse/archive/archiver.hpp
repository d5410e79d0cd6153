#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/archive/announcements.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/file_encoder.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

class ChainWriter;
class Staging;

// Hears what an archiver does, on its thread.
class ArchiveObserver {
 public:
  virtual ~ArchiveObserver() = default;
  // A claim's `.done` is there, and the source knows. Said again after a crash, or by another
  // archiver of the chain: at least once for each claim, in the order of the chain. When it throws
  // the archive goes on without it, and it hears the same later, before what is behind it, unless
  // that is more than `most_untold` claims back.
  virtual void archived(const Claim& claim, const Done& done) = 0;
  // Something stands in the way; it is tried again after `pause`.
  virtual void troubled(const std::string& why, std::chrono::milliseconds pause) = 0;
};

// Since an archiver began.
struct ArchiveTally {
  std::uint64_t claims = 0;    // that it made
  std::uint64_t rows = 0;      // in their files
  std::uint64_t lost = 0;      // offsets that the source no longer had
  std::uint64_t repaired = 0;  // claims that others had left open
  std::uint64_t yielded = 0;   // chunks that another had claimed first
  // Claims of which somebody was not told and never will be: they are over `most_untold`.
  std::uint64_t untold = 0;
};

struct ArchiverOptions {
  std::filesystem::path staging;  // where files are encoded; several archivers may share it
  std::uint64_t flush_rows = 131'072;      // in a file at most
  std::uint64_t flush_bytes = 1ULL << 30;  // of records in a file at most, and one record more
  std::chrono::milliseconds flush_every{10'000};
  // Claims of a chain of which somebody may not have heard, at most: older ones it never hears of.
  std::uint64_t most_untold = 1'024;
  std::string writer;  // who this is, for people
  // Unix microseconds. Empty: the system's clock.
  std::function<std::int64_t()> now{};
  // Hears of every round, whatever came of it; throws nothing. Empty: nobody does.
  std::function<void(const ArchiveTally&)> after_round{};
  // Whether to end at the next claim that is done; asked again and again. Empty: never.
  std::function<bool()> told_to_end{};
};

// Moves what waits in a source into an archive, each record once, whatever dies when, and however
// many do it at the same time (docs/warehouse.md). One thread; all that is given outlives it.
class Archiver {
 public:
  // Throws StorageError where there is no room for staging.
  Archiver(Archive& archive, RecordSource& source, FileEncoder& encoder, ArchiverOptions options,
           const std::vector<ArchiveObserver*>& observers = {});
  ~Archiver();
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  // Archives what waits now, of every chain; then all of it is done. A chain that cannot go on does
  // not hold up the others: what went wrong first is thrown when they are through, or what an observer
  // threw. Ends early, at a claim that is done, when it is told to end. Throws StorageError,
  // RemoteError, StartupError, and what observers throw.
  void run_once();

  // The same every `flush_every`, or sooner when a file is full, until it is told to end. What goes
  // wrong is told to the observers and tried again, after a second at first, after a minute at last.
  void run();

  const ArchiveTally& tally() const noexcept { return tally_; }

 private:
  void go_round();
  void run_chain(const Chain& chain);
  void wait_for_more();
  void pause(std::chrono::milliseconds length);
  bool told_to_end() const { return options_.told_to_end && options_.told_to_end(); }

  Archive& archive_;
  RecordSource& source_;
  FileEncoder& encoder_;
  ArchiverOptions options_;
  Announcements announcements_;
  std::unique_ptr<Staging> staging_;
  ArchiveTally tally_;
  std::map<Chain, std::unique_ptr<ChainWriter>> writers_;
};

}  // namespace segue::warehouse
