#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/archive/record_source.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

// Something that is not as it should be.
struct Finding {
  enum class Kind : std::uint8_t {
    missing,     // records or a file that should be there
    twice,       // rows that queries see twice
    damaged,     // a file or a book that is not what was written
    stray,       // a file of which the books know nothing
    unfinished,  // a claim or a forgetting that nobody ended
    lost,        // the source no longer had it when it was to be archived: known, and told
  };
  Kind kind;
  std::string where;  // a key, or a chain
  std::string what;   // and what to do
};

std::string_view name_of(Finding::Kind kind);

struct VerificationOptions {
  enum class Hashes : std::uint8_t { compare, skip };
  enum class Rows : std::uint8_t { count, each };
  Hashes hashes = Hashes::compare;
  Rows rows = Rows::count;         // each: every row's place is looked at
  std::chrono::minutes young{60};  // an open claim may still be worked on
};

struct VerificationReport {
  std::vector<Finding> findings;
  std::uint64_t chains = 0;
  std::uint64_t claims = 0;
  std::uint64_t files = 0;  // that queries read
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t removed = 0;    // at compaction: they were there already
  std::uint64_t forgotten = 0;  // rows
  std::uint64_t lost = 0;       // records
  std::uint64_t open = 0;       // claims that are being worked on
  std::uint64_t leftovers = 0;  // files of dead writers, which are no objects
  std::uint64_t waiting = 0;    // records of a source that are not archived yet
};

// Counts what is there against what should be: claims of a chain follow each other, each has its
// file, files are as their books say, compactions add up, no file lies there that nobody knows.
// Changes nothing, and needs no pause of those who do. One thread; what is given outlives it.
class Verification {
 public:
  // `now`: Unix microseconds.
  Verification(Archive& archive, Workbench& bench, const VerificationOptions& options,
               std::int64_t now, UpkeepWatch watch = {});

  // Throws StorageError, RemoteError where the archive cannot be read at all; UpkeepEnded.
  VerificationReport run();
  // Also against what a source has now. After run().
  void compare_with(RecordSource& source);

  const VerificationReport& report() const noexcept { return report_; }

 private:
  void find(Finding::Kind kind, const std::string& where, const std::string& what);
  void list_files();
  void read_compactions();
  enum class Intact : std::uint8_t { no, yes };
  std::optional<std::uint64_t> find_genesis(const Chain& chain);
  void expect_next(const Chain& chain, const Claim& claim);
  void check_chain(const Chain& chain);
  Intact check_claim_at(const Chain& chain, const std::string& key);
  void check_claim(const Claim& claim, const std::optional<Done>& done);
  void check_done(const Claim& claim, const Done& done);
  // no: it is not there, or not as it should be, which was told.
  Intact check_file(const std::string& key, FileFacts facts);
  bool is_half_forgotten(const std::string& key);
  std::string difference(const std::string& key, std::uint64_t bytes, const FileFacts& facts);
  void check_gone(const std::string& key, const FileFacts& facts);
  std::vector<std::uint64_t> count(const std::string& sql);
  void check_rows(const Claim& claim, const std::string& key);
  void check_compaction(const Compaction& compaction);
  void check_strays();
  void check_folders();
  void check_stray(const std::string& key);
  void check_unfinished();

  bool has_left(Day day) const { return retained_from_ && day < *retained_from_; }
  bool is_compacted(Day day) const { return watermark_ && day < *watermark_; }

  Archive& archive_;
  Workbench& bench_;
  const VerificationOptions options_;
  const std::int64_t now_;
  UpkeepWatch watch_;

  std::optional<std::uint64_t> genesis_;  // of the chain at hand; none: it cannot be read
  std::optional<std::uint64_t> next_;  // record of the chain at hand that is to be claimed next
  std::optional<Day> watermark_;
  std::optional<Day> retained_from_;
  std::map<std::string, std::uint64_t> there_;        // files and their bytes
  std::set<std::string> known_;                       // files that a book tells of
  std::map<Day, Compaction> compactions_;
  std::set<std::string> compacted_;                   // inputs of those
  VerificationReport report_;
};

}  // namespace segue::warehouse
