#include "warehouse/archive/chain_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/clock.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/storage/whole_objects.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kTrusted{1};  // how long the books are taken as they were read
constexpr int kMostLooks = 5;  // at books that change under the look
constexpr std::uint64_t kCheckpointEvery = 16;  // claims

// A file in staging, gone with the scope: a disk that is full gets its room back.
class StagedFile {
 public:
  explicit StagedFile(fs::path path) : path_(std::move(path)) {}
  ~StagedFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

// The records of a range, up to what one file may hold.
class FileOfRecords : public RecordReader {
 public:
  FileOfRecords(RecordReader& records, std::uint64_t most_bytes)
      : records_(records), most_bytes_(most_bytes) {}

  std::optional<SourceRecord> next() override {
    if (bytes_ >= most_bytes_) {
      full_ = true;
      return std::nullopt;
    }
    const auto record = records_.next();
    if (!record) return std::nullopt;
    bytes_ += record->payload.size();
    last_ = record->offset;
    return record;
  }

  // The last offset that the file covers, of a range that ends at `end`.
  std::uint64_t covers(std::uint64_t end) const { return full_ ? last_ : end; }

 private:
  RecordReader& records_;
  std::uint64_t most_bytes_;
  std::uint64_t bytes_ = 0;
  std::uint64_t last_ = 0;
  bool full_ = false;
};

}  // namespace

void ChainWriter::run() {
  try {
    write_what_waits();
  } catch (const std::exception&) {
    next_.reset();
    throw;
  }
}

bool ChainWriter::has_full_file() {
  if (!next_) return false;
  const auto waiting = tools_.source.waiting(chain_, *next_);
  return waiting && waiting->to > waiting->from &&
         waiting->to - waiting->from >= tools_.options.flush_rows;
}

void ChainWriter::write_what_waits() {
  std::optional<std::uint64_t> goal;
  do {
    const bool trusted = std::chrono::steady_clock::now() - read_at_ <= kTrusted;
    if (!next_ || !trusted || may_catch_up()) take_up();
    if (!next_) return;
    const auto waiting = tools_.source.waiting(chain_, *next_);
    if (!waiting) return;
    if (waiting->to < *next_)
      throw StartupError(fmt::format(
          "{}: {}/{} ends at {}, before {}, where the archive goes on: it was made anew; see "
          "--new-epoch",
          tools_.source.name(), chain_.topic, chain_.partition, waiting->to, *next_));
    if (!goal) goal = std::max(waiting->to, waiting->end);
    if (*next_ >= *goal) return;
    if (waiting->lost_from < waiting->from)
      claim_lost(*waiting);
    else
      claim_rows(*waiting);
  } while (!told_to_end());
}

// A listing may show a claim and not the one before, when both are made while it goes on; and a
// claim may go before it was read. nullopt: it was told to end. Throws StorageError: one is missing
// indeed.
std::optional<Archive::Recent> ChainWriter::recent_in_a_row() const {
  const Archive& archive = tools_.archive;
  for (int looks = 0; looks < kMostLooks; ++looks) {
    if (looks > 0 && told_to_end()) return std::nullopt;
    Archive::Recent recent = archive.recent(chain_);
    // What is not done is to be published: not so what somebody takes away just now.
    const auto gone = std::ranges::find_if(recent.claims, [&](const ClaimState& state) {
      return !state.done && !archive.store().size(state.claim.key());
    });
    if (gone != recent.claims.end()) continue;
    const auto gap = std::ranges::adjacent_find(
        recent.claims, [](const ClaimState& one, const ClaimState& next) {
          return next.claim.start != one.claim.end + 1;
        });
    if (gap == recent.claims.end()) return recent;
    archive.expect_claim(chain_, gap->claim.end + 1);
  }
  throw StorageError(fmt::format("{}: claims in {} came and went while they were listed, {} times; "
                                 "does something else remove objects there?",
                                 archive.store().name(), chain_folder(chain_), kMostLooks));
}

// What was claimed before comes first, in its order: what is open is published, and what observers
// may not have heard of is told.
void ChainWriter::take_up() {
  Archive& archive = tools_.archive;
  next_.reset();
  read_at_ = std::chrono::steady_clock::now();
  auto recent = recent_in_a_row();
  if (!recent) return;
  if (!recent->genesis) {
    archive.start_chain(chain_, tools_.source.first(chain_));
    recent->genesis = archive.genesis(chain_);
  }
  for (std::size_t i = 0; i < told_.size(); ++i) {
    if (tools_.announcements.hears(i)) told_[i].missed = false;
    told_[i].untold = 0;
  }
  std::uint64_t next = recent->genesis.value_or(0);
  behind_checkpoint_ = 0;
  for (const ClaimState& state : recent->claims) {
    const Claim& claim = state.claim;
    const Done done = state.done ? *state.done : repair(claim);
    next = claim.end + 1;
    last_day_ = claim.day;
    if (claim.start == recent->checkpoint)
      for (Told& told : told_) told.next = std::max(told.next, next);
    const auto knows = [&](const Told& told) { return claim.start < told.next; };
    ++behind_checkpoint_;
    if (!std::ranges::all_of(told_, knows)) tell(claim, done);
  }
  if (!recent->claims.empty()) tools_.source.archived(chain_, next);
  next_ = next;
}

Claim ChainWriter::begin_claim(std::uint64_t start, std::uint64_t end) const {
  Claim claim;
  claim.chain = chain_;
  claim.start = start;
  claim.end = end;
  claim.encoder = tools_.encoder.version();
  claim.writer = tools_.options.writer;
  claim.claimed_at = now();
  return claim;
}

void ChainWriter::claim_lost(const Waiting& waiting) {
  Claim claim = begin_claim(*next_, waiting.from - 1);
  claim.kind = Claim::Kind::lost;
  claim.reason = waiting.lost_reason;
  if (make(claim) == Creation::existed) return;
  tools_.tally.lost += claim.end - claim.start + 1;
  go_on_behind(claim, say_done(claim, {.path = {}, .file = {}, .done_at = now(), .forgotten = 0}));
}

void ChainWriter::claim_rows(const Waiting& waiting) {
  const std::uint64_t from = std::max(waiting.from, *next_);
  const std::uint64_t to = std::min(waiting.to, from + tools_.options.flush_rows);
  const StagedFile staged(tools_.staging / "chunk.parquet");
  const auto reader = tools_.source.read(chain_, from, to);
  FileOfRecords records(*reader, tools_.options.flush_bytes);
  const FileFacts facts = tools_.encoder.encode(chain_, records, staged.path());
  Claim claim = begin_claim(*next_, records.covers(to - 1));
  claim.file = facts;
  if (make(claim) == Creation::existed) return;
  tools_.tally.rows += facts.rows;
  go_on_behind(claim, publish(claim, staged.path()));
}

Creation ChainWriter::make(Claim& claim) {
  // A gateway's clock may be ahead; more than a day is no clock.
  const Day today = day_of(claim.claimed_at);
  const Day newest = std::min(day_of(claim.file.max_created_at), today + std::chrono::days(1));
  const Day at_least = std::max({today, newest, last_day_.value_or(today)});
  claim.day = first_open_day(tools_.archive, at_least);
  const Creation creation = tools_.archive.claim(claim);
  if (creation == Creation::created) {
    ++tools_.tally.claims;
    yielded_.reset();
    return creation;
  }
  ++tools_.tally.yielded;
  next_.reset();
  // The books were read since, and do not show it.
  if (yielded_ == claim.start)
    throw StorageError(fmt::format("{}: {} is there, but neither its listing nor {} goes on behind "
                                   "it: see what lies in that folder (`seguectl verify`)",
                                   tools_.archive.store().name(), claim.key(),
                                   genesis_key(chain_)));
  yielded_ = claim.start;
  return creation;
}

Done ChainWriter::publish(const Claim& claim, const fs::path& staged) {
  const std::string key =
      raw_key(place(tools_.archive, claim), claim.chain, claim.start, claim.end);
  const Creation creation = tools_.archive.store().create_from(key, staged);
  Done done{.path = key, .file = {}, .done_at = now(), .forgotten = 0};
  if (creation == Creation::existed) {
    done.file = facts_of_published(claim, key);
  } else {
    done.file = claim.file;
  }
  return say_done(claim, done);
}

// Its writer is dead, or slower than we are: all that is done here may be done by several.
Done ChainWriter::repair(const Claim& claim) {
  ++tools_.tally.repaired;
  if (claim.kind == Claim::Kind::lost)
    return say_done(claim, {.path = {}, .file = {}, .done_at = now(), .forgotten = 0});
  const std::string key =
      raw_key(place(tools_.archive, claim), claim.chain, claim.start, claim.end);
  ObjectStore& store = tools_.archive.store();
  if (!store.size(key)) {
    const StagedFile staged(tools_.staging / "repaired.parquet");
    const auto records = tools_.source.read(chain_, claim.start, claim.end + 1);
    const FileFacts facts = tools_.encoder.encode(chain_, *records, staged.path());
    if (store.create_from(key, staged.path()) == Creation::created)
      return say_done(claim, {.path = key, .file = facts, .done_at = now(), .forgotten = 0});
  }
  return say_done(claim, {.path = key,
                          .file = facts_of_published(claim, key),
                          .done_at = now(),
                          .forgotten = 0});
}

Done ChainWriter::say_done(const Claim& claim, const Done& done) {
  if (tools_.archive.say_done(claim, done) == Creation::created) return done;
  return tools_.archive.done(claim).value_or(done);
}

FileFacts ChainWriter::facts_of_published(const Claim& claim, const std::string& key) const {
  ObjectStore& store = tools_.archive.store();
  const StagedFile fetched(tools_.staging / "published.parquet");
  fetch(store, key, fetched.path());
  FileFacts facts;
  try {
    facts = tools_.encoder.facts_of(fetched.path());
  } catch (const StorageError&) {
    throw StorageError(fmt::format("{}: {} is no file of an archive, or damaged; move it away, and "
                                   "it is made again from {}",
                                   store.name(), key, tools_.source.name()));
  }
  if (facts.sha256 != claim.file.sha256 && facts.rows > claim.end - claim.start + 1)
    throw StorageError(fmt::format("{}: {} has {} rows, more than its claim; it is another "
                                   "archive's: move it away",
                                   store.name(), key, facts.rows));
  return facts;
}

// The source is told first: what observers make of it may take time, or fail.
void ChainWriter::go_on_behind(const Claim& claim, const Done& done) {
  tools_.source.archived(chain_, claim.end + 1);
  ++behind_checkpoint_;
  tell(claim, done);
  if (next_) next_ = claim.end + 1;
  last_day_ = claim.day;
}

// Who fails misses this claim and all behind it, until take_up() tells it of them. A checkpoint
// goes no further than what everybody knows: the next archiver of the chain tells the rest. But all
// behind it is read again and again, so who is away for long misses what is older.
void ChainWriter::tell(const Claim& claim, const Done& done) {
  bool all_know = true;
  for (std::size_t i = 0; i < told_.size(); ++i) {
    Told& told = told_[i];
    if (claim.start < told.next) continue;
    if (!told.missed && tools_.announcements.tell(i, claim, done))
      told.next = claim.end + 1;
    else
      told.missed = true;
    if (told.missed) ++told.untold;
    all_know = all_know && !told.missed;
  }
  const std::uint64_t enough = all_know ? kCheckpointEvery : tools_.options.most_untold;
  if (behind_checkpoint_ < enough) return;
  tools_.archive.set_checkpoint(claim);
  behind_checkpoint_ = 0;
  for (Told& told : told_) tools_.tally.untold += std::exchange(told.untold, 0);
}

bool ChainWriter::may_catch_up() const {
  for (std::size_t i = 0; i < told_.size(); ++i)
    if (told_[i].missed && tools_.announcements.hears(i)) return true;
  return false;
}

std::int64_t ChainWriter::now() const {
  return tools_.options.now ? tools_.options.now() : runtime::unix_micros_now();
}

}  // namespace segue::warehouse
