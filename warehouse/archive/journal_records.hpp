#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

// The archiver among the consumers of a journal: its cursors are archiver.json.
inline constexpr const char* kArchiverConsumer = "archiver";

// A journal's folder, which a gateway writes in another process, or nobody: a chain a lane. Topic:
// the instance that its records name; partition: "<run>-<lane>"; offset: the lane_sequence, from 1.
// Intents are no records, so offsets have holes. A dead run is sealed under its lock first, so that
// its open intents are INTERRUPTED exchanges with numbers of their own; where that cannot be done
// the frames that are there come, and the interrupted ones once somebody has sealed it.
//
// A range that waiting() gave is read whole or not at all: where a ring overwrites it meanwhile the
// reader throws, and waiting() says then what is lost. A range that it did not give is one that
// another claimed: of that the reader gives what is still there. A reader goes before the source is
// asked of its chain again.
//
// Where the gateway does not know of an archiver a service registers as one
// (recorder/journal/consumers.hpp), until `seguectl journal drop-consumer`: what is recorded from
// then on stays until it is archived.
//
// The cursors are the journal's and not an archive's, so a journal has one archive
// (warehouse/archive/destination.hpp): who archives says by goes_into() or switch_to() which.
class JournalRecords : public RecordSource {
 public:
  // once: registers nothing, for nobody may come again. onlooker: does not seal either; the journal
  // stays as it is.
  enum class Role : std::uint8_t { service, once, onlooker };
  // `tell` hears what a user should know, one line each: damage, a registration. Throws
  // StartupError: there is no journal at `directory`, or it cannot be read.
  JournalRecords(std::filesystem::path directory, std::function<void(const std::string&)> tell,
                 Role role = Role::service);
  ~JournalRecords() override;

  const std::string& name() const override;
  std::vector<Chain> chains() override;
  std::uint64_t first(const Chain& chain) override;
  std::optional<Waiting> waiting(const Chain& chain, std::uint64_t next) override;
  std::unique_ptr<RecordReader> read(const Chain& chain, std::uint64_t from,
                                     std::uint64_t to) override;
  // Moves the cursor of this lane, never back, also while another process archives the same journal.
  void archived(const Chain& chain, std::uint64_t next) override;
  void wait(std::chrono::milliseconds most) override;
  // Whether a chain is of an instance whose journal this is, and of a run that is not there any
  // more. As chains() found it.
  bool is_gone(const Chain& chain) const;

  // The archive that the records go into. chains() makes it that of a journal that has runs and
  // none yet, and throws StorageError from when on it has another; cursors move only while it is
  // this one.
  void goes_into(const Archive& archive);
  // What a new archive gets of what the journal holds: what the archive before it has not got, as
  // far as the cursors say, or everything that is still there.
  enum class Switch : std::uint8_t { rest, all };
  // The same as goes_into() where that is the journal's archive already; otherwise it is from now
  // on. Chains of `archive` begin first, so that who is killed between can say it again.
  void switch_to(Archive& archive, Switch what);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
