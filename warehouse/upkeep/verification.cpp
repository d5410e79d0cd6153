#include "warehouse/upkeep/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "warehouse/archive/placement.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/storage/whole_objects.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/file_books.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"
#include "warehouse/upkeep/row_sql.hpp"
#include "warehouse/upkeep/tenure.hpp"

namespace segue::warehouse {
namespace {

using Kind = Finding::Kind;

constexpr const char* kRepair =
    "`seguectl archive --once` from the same source makes it again while that has the records";

constexpr const char* kForgetting =
    "`forget` is writing it anew; if none is at work, it ended in its middle: the next `compact`, "
    "`retention` or `forget` with --yes mends that or says what is wrong, then run it again";
constexpr int kMostLooks = 3;  // at what is changed under the look

std::string name_of(const Chain& chain) {
  return fmt::format("{}/{}", chain.topic, chain.partition);
}

std::string records(std::uint64_t from, std::uint64_t last) {
  return from == last ? fmt::format("record {}", from)
                      : fmt::format("records {} to {}", from, last);
}

// The errors of a store say where it is; findings need not.
std::string without_prefix(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  while (text.starts_with(':') || text.starts_with(' ')) text.remove_prefix(1);
  return std::string(text);
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::missing:
      return "missing";
    case Kind::twice:
      return "twice";
    case Kind::damaged:
      return "damaged";
    case Kind::stray:
      return "stray";
    case Kind::unfinished:
      return "unfinished";
    case Kind::lost:
      return "lost";
  }
  return "";
}

Verification::Verification(Archive& archive, Workbench& bench, const VerificationOptions& options,
                           std::int64_t now, UpkeepWatch watch)
    : archive_(archive), bench_(bench), options_(options), now_(now), watch_(std::move(watch)) {}

void Verification::find(Kind kind, const std::string& where, const std::string& what) {
  report_.findings.push_back({kind, where, what});
}

// Files are listed before claims are read: a file that is there has its claim by then.
void Verification::list_files() {
  watermark_ = archive_.watermark();
  retained_from_ = retained_from(archive_.store());
  for (const std::string& folder : {raw_folder(), compact_folder()})
    archive_.store().list(folder, "",
                          [&](const StoredObject& object) { there_[object.key] = object.bytes; });
}

void Verification::read_compactions() {
  for (const Day day : compacted_days(archive_.store())) {
    if (!is_compacted(day) || has_left(day)) continue;
    try {
      auto compaction = compaction_of(archive_.store(), day);
      if (!compaction) continue;
      for (const CompactionInput& input : compaction->inputs) compacted_.insert(input.path);
      for (const Done& output : compaction->outputs) known_.insert(output.path);
      compactions_.emplace(day, std::move(*compaction));
    } catch (const StorageError& error) {
      find(Kind::damaged, compaction_key(day), error.what());
    }
  }
}

VerificationReport Verification::run() {
  list_files();
  read_compactions();
  for (const Chain& chain : archive_.chains()) {
    ++report_.chains;
    check_chain(chain);
  }
  for (const auto& [day, compaction] : compactions_) check_compaction(compaction);
  check_strays();
  check_folders();
  check_unfinished();
  report_.leftovers = archive_.store().count_leftovers();
  return report_;
}

std::optional<std::uint64_t> Verification::find_genesis(const Chain& chain) {
  try {
    return archive_.genesis(chain);
  } catch (const StorageError& error) {
    find(Kind::damaged, genesis_key(chain), without_prefix(error.what(), archive_.store().name()));
    return std::nullopt;
  }
}

void Verification::check_chain(const Chain& chain) {
  ObjectStore& store = archive_.store();
  genesis_ = find_genesis(chain);
  std::vector<std::string> keys;
  store.list(chain_folder(chain), "", [&](const StoredObject& object) {
    const auto start = start_of_claim_key(object.key);
    // Those before the genesis retention has not come to remove.
    if (start && object.key.ends_with(".json") && *start >= genesis_.value_or(0))
      keys.push_back(object.key);
  });
  if (keys.empty()) return;
  if (!store.size(genesis_key(chain)))
    find(Kind::damaged, genesis_key(chain), "it is not there, though the chain has claims");
  next_ = genesis_;
  for (const std::string& key : keys) {
    // A listing may show a claim and not the one before, when both are made while it goes on.
    while (next_ && *next_ < *start_of_claim_key(key)) {
      const std::string before = claim_key(chain, *next_);
      if (!store.size(before) || check_claim_at(chain, before) == Intact::no) break;
    }
    check_claim_at(chain, key);
  }
}

Verification::Intact Verification::check_claim_at(const Chain& chain, const std::string& key) {
  watch_.go_on();
  const auto text = archive_.store().read(key);
  if (!text) return Intact::no;  // retention took it meanwhile
  try {
    const Claim claim = parse_claim(key, *text);
    expect_next(chain, claim);
    next_ = std::max(next_.value_or(0), claim.end + 1);
    const std::string done_at = done_key(chain, claim.start);
    const auto done = archive_.store().read(done_at);
    check_claim(claim, done ? std::optional(parse_done(done_at, *done)) : std::nullopt);
    return Intact::yes;
  } catch (const StorageError& error) {
    find(Kind::damaged, key, without_prefix(error.what(), key));
    next_.reset();
    return Intact::no;
  }
}

// Where claims do not follow each other retention may have moved the chain's beginning meanwhile.
void Verification::expect_next(const Chain& chain, const Claim& claim) {
  if (!next_ || claim.start == *next_) return;
  if (genesis_) genesis_ = find_genesis(chain);
  if (genesis_ && claim.end < *genesis_) return;  // it is being taken away
  next_ = std::max(*next_, genesis_.value_or(0));
  if (claim.start > *next_)
    find(Kind::missing, name_of(chain),
         fmt::format("{}: claimed by nobody", records(*next_, claim.start - 1)));
  if (claim.start < *next_)
    find(Kind::twice, claim.key(),
         fmt::format("{}: claimed before", records(claim.start, *next_ - 1)));
}

void Verification::check_claim(const Claim& claim, const std::optional<Done>& done) {
  if (!done && !archive_.store().size(claim.key())) return;  // retention took it meanwhile
  ++report_.claims;
  if (claim.kind == Claim::Kind::lost) {
    report_.lost += claim.end - claim.start + 1;
    find(Kind::lost, name_of(claim.chain),
         fmt::format("{}: {}", records(claim.start, claim.end), claim.reason));
  }
  if (done) return check_done(claim, *done);
  const auto age = std::chrono::microseconds(now_ - claim.claimed_at);
  known_.insert(claim.file_key());
  if (const auto placed = placement(archive_, claim))
    known_.insert(raw_key(*placed, claim.chain, claim.start, claim.end));
  if (age > options_.young)
    find(Kind::unfinished, claim.key(),
         fmt::format("{} of {}: no .done; `seguectl archive --once` from the same source "
                     "finishes it, with --give-up also where that has its records no more",
                     records(claim.start, claim.end), name_of(claim.chain)));
  else
    ++report_.open;
}

void Verification::check_done(const Claim& claim, const Done& done) {
  if (done.path.empty()) return;
  known_.insert(done.path);
  const auto day = day_of_key(done.path);
  if (!day) return find(Kind::damaged, claim.key(), "its .done names a file of no day");
  if (has_left(*day)) return;
  if (is_compacted(*day)) {
    if (!compacted_.contains(done.path))
      find(Kind::missing, done.path,
           fmt::format("its day was compacted without it: nobody reads its {} rows",
                       done.file.rows));
    return;
  }
  report_.forgotten += done.forgotten;
  if (const std::uint64_t have = done.file.rows + done.forgotten; have < claim.file.rows) {
    report_.lost += claim.file.rows - have;
    find(Kind::lost, done.path,
         fmt::format("{} of {} rows: the source had them no more when the claim was repaired",
                     claim.file.rows - have, claim.file.rows));
  }
  if (check_file(done.path, done.file) == Intact::no) return;
  if (options_.rows == VerificationOptions::Rows::each) check_rows(claim, done.path);
}

// Where a file is not as was read in the books before, both are looked at again: it may have been
// replaced (`forget`), or taken away (`compact`, `retention`), between the two looks. Whoever
// replaces a file names it before, and until the books say so.
Verification::Intact Verification::check_file(const std::string& key, FileFacts facts) {
  for (int looks = 1;; ++looks) {
    watch_.go_on();
    const auto listed = there_.find(key);
    const auto bytes = looks == 1 && listed != there_.end() ? std::optional(listed->second)
                                                            : archive_.store().size(key);
    if (!bytes) {
      check_gone(key, facts);
      return Intact::no;
    }
    there_[key] = *bytes;
    const std::string wrong = difference(key, *bytes, facts);
    const bool named = !wrong.empty() && is_half_forgotten(key);
    const auto now = wrong.empty() ? std::nullopt : facts_in_books(archive_.store(), key);
    const bool stays_wrong = looks > 1 && now && now->sha256 == facts.sha256;
    if (!wrong.empty() && !named && !stays_wrong && looks < kMostLooks) {
      facts = now.value_or(facts);
      continue;
    }
    ++report_.files;
    report_.rows += facts.rows;
    report_.bytes += *bytes;
    watch_.report(report_.files, there_.size());
    if (wrong.empty()) return Intact::yes;
    find(named ? Kind::unfinished : Kind::damaged, key, named ? kForgetting : wrong);
    return Intact::no;
  }
}

bool Verification::is_half_forgotten(const std::string& key) {
  try {
    const auto half = half_forgotten(archive_.store());
    return std::ranges::find(half, key, &HalfForgotten::key) != half.end();
  } catch (const StorageError&) {
    return false;  // check_unfinished() tells
  }
}

// What is not as the books say; empty: nothing.
std::string Verification::difference(const std::string& key, std::uint64_t bytes,
                                     const FileFacts& facts) {
  if (bytes != facts.bytes)
    return fmt::format("it has {} bytes where {} were written", bytes, facts.bytes);
  try {
    const std::uint64_t rows = bench_.rows_in(key);
    if (rows != facts.rows)
      return fmt::format("it has {} rows where {} were written", rows, facts.rows);
    if (options_.hashes == VerificationOptions::Hashes::compare &&
        sha256_of_object(archive_.store(), key) != facts.sha256)
      return "its octets are not those that were written";
  } catch (const StorageError& error) {
    return without_prefix(error.what(), archive_.store().name());
  }
  return {};
}

void Verification::check_gone(const std::string& key, const FileFacts& facts) {
  const Day day = *day_of_key(key);
  const auto watermark = archive_.watermark();
  retained_from_ = retained_from(archive_.store());
  const bool was_compacted = key.starts_with(raw_folder()) && watermark && day < *watermark;
  if (was_compacted || has_left(day)) return;
  find(Kind::missing, key, fmt::format("it had {} rows; {}", facts.rows, kRepair));
}

// Over files that may be replaced while they are read.
std::vector<std::uint64_t> Verification::count(const std::string& sql) {
  for (int looks = 1;; ++looks) {
    try {
      return bench_.numbers(sql);
    } catch (const StorageError&) {
      watch_.go_on();
      if (looks == kMostLooks) throw;
    }
  }
}

void Verification::check_rows(const Claim& claim, const std::string& key) {
  const auto counts = count(fmt::format(
      "SELECT count(*), count(DISTINCT \"offset\"), count_if(coalesce(\"source\" = {} AND "
      "\"partition\" = {} AND \"offset\" BETWEEN {} AND {}, false)) FROM {}",
      sql_literal(claim.chain.topic), sql_literal(claim.chain.partition), claim.start, claim.end,
      bench_.rows_of({&key, 1})));
  if (counts[1] != counts[0])
    find(Kind::twice, key, fmt::format("{} of its rows are there twice", counts[0] - counts[1]));
  if (counts[2] != counts[0])
    find(Kind::damaged, key,
         fmt::format("{} of its rows are not of its claim", counts[0] - counts[2]));
}

void Verification::check_compaction(const Compaction& compaction) {
  const std::string key = compaction_key(compaction.day);
  report_.removed += compaction.removals.size();
  report_.forgotten += compaction.forgotten_rows();
  Intact all = Intact::yes;
  std::vector<std::string> outputs;
  for (const Done& output : compaction.outputs) {
    if (check_file(output.path, output.file) == Intact::no) all = Intact::no;
    outputs.push_back(output.path);
  }
  const std::uint64_t accounted = compaction.output_rows() + compaction.forgotten_rows() +
                                  static_cast<std::uint64_t>(compaction.removals.size());
  if (accounted != compaction.input_rows())
    find(Kind::damaged, key,
         fmt::format("{} rows went in, {} are accounted for", compaction.input_rows(), accounted));
  if (all == Intact::no || outputs.empty() || options_.rows != VerificationOptions::Rows::each)
    return;
  const auto counts = count(count_places("FROM " + bench_.rows_of(outputs)));
  if (counts[1] != counts[0])
    find(Kind::twice, compact_folder(compaction.day),
         fmt::format("{} rows are there twice", counts[0] - counts[1]));
}

void Verification::check_strays() {
  retained_from_ = retained_from(archive_.store());  // what it took since is no stray
  for (const auto& [key, bytes] : there_)
    if (!known_.contains(key)) check_stray(key);
}

void Verification::check_stray(const std::string& key) {
  const auto day = day_of_key(key);
  if (day && has_left(*day)) return;
  if (!day || !key.ends_with(".parquet"))
    return find(Kind::stray, key, "it is no file of an archive; engines that read the folder fail "
                                  "at it: move it away");
  if (key.starts_with(compact_folder())) {
    // A compaction that is under way, or was given up: the next one removes it.
    if (!is_compacted(*day)) return;
    return find(Kind::twice, key, "no compaction tells of it, and queries read it; remove it");
  }
  if (is_compacted(*day))
    return find(Kind::stray, key, "nobody claimed it; its day is compacted without it, so nobody "
                                  "reads it: remove it");
  const auto done_at = done_key_of_raw(key);
  if (done_at && archive_.store().size(done_at->substr(0, done_at->rfind('.'))))
    return find(Kind::twice, key, "its records are archived under another name, and queries read "
                                  "both; remove it");
  find(Kind::stray, key, "nobody claimed it, and queries read it; remove it");
}

void Verification::check_folders() {
  const auto stray = [&](const std::string& folder) {
    find(Kind::stray, folder, "it is no chain's folder, and nobody reads it: move it away");
  };
  ObjectStore& store = archive_.store();
  for (const std::string& topic : store.folders(chains_folder())) {
    const std::string folder = chains_folder() + topic + "/";
    if (!parse_folder_name(topic)) {
      stray(folder);
      continue;
    }
    for (const std::string& partition : store.folders(folder))
      if (!parse_folder_name(partition)) stray(folder + partition + "/");
  }
}

void Verification::check_unfinished() {
  try {
    for (const HalfForgotten& half : half_forgotten(archive_.store()))
      if (half.key.starts_with(comparisons_folder())) find(Kind::unfinished, half.key, kForgetting);
    if (archive_.store().size(forgetting_ids_key()) && !term_holder(archive_.store()))
      find(Kind::unfinished, forgetting_ids_key(),
           "a `forget` ended before it had gone through every file; run it again");
  } catch (const StorageError& error) {
    find(Kind::damaged, "_forgetting.json", without_prefix(error.what(), archive_.store().name()));
  }
}

void Verification::compare_with(RecordSource& source) {
  for (const Chain& chain : source.chains()) {
    watch_.go_on();
    const auto genesis = archive_.genesis(chain);
    const std::uint64_t next = genesis ? archive_.tip(chain).next : source.first(chain);
    const auto waiting = source.waiting(chain, next);
    if (!waiting) continue;
    report_.waiting += waiting->to - waiting->from;
    if (waiting->from > waiting->lost_from)
      find(Kind::missing, name_of(waiting->chain),
           fmt::format("{}: gone from {} and never archived: {}",
                       records(waiting->lost_from, waiting->from - 1), source.name(),
                       waiting->lost_reason));
  }
}

}  // namespace segue::warehouse
