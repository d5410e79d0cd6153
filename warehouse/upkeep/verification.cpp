#include "warehouse/upkeep/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "warehouse/archive/placement.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"
#include "warehouse/upkeep/object_hash.hpp"
#include "warehouse/upkeep/row_sql.hpp"

namespace segue::warehouse {
namespace {

using Kind = Finding::Kind;

constexpr const char* kRepair =
    "`seguectl archive --once` from the same source makes it again while that has the records";

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
  for (std::string& key : files_being_forgotten(archive_.store()))
    half_forgotten_.insert(std::move(key));
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
  const auto genesis = find_genesis(chain);
  std::vector<std::string> keys;
  store.list(chain_folder(chain), "", [&](const StoredObject& object) {
    const auto start = start_of_claim_key(object.key);
    // Those before the genesis retention has not come to remove.
    if (start && object.key.ends_with(".json") && *start >= genesis.value_or(0))
      keys.push_back(object.key);
  });
  if (keys.empty()) return;
  if (!store.size(genesis_key(chain)))
    find(Kind::damaged, genesis_key(chain), "it is not there, though the chain has claims");
  next_ = genesis;
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
    if (next_ && claim.start > *next_)
      find(Kind::missing, name_of(chain),
           fmt::format("{}: claimed by nobody", records(*next_, claim.start - 1)));
    if (next_ && claim.start < *next_)
      find(Kind::twice, key, fmt::format("{}: claimed before", records(claim.start, *next_ - 1)));
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

void Verification::check_claim(const Claim& claim, const std::optional<Done>& done) {
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

Verification::Intact Verification::check_file(const std::string& key, const FileFacts& facts) {
  watch_.go_on();
  auto found = there_.find(key);
  if (found == there_.end()) {
    if (const auto bytes = archive_.store().size(key)) {
      found = there_.emplace(key, *bytes).first;  // it came behind the listing
    } else {
      const auto watermark = archive_.watermark();
      const bool went = watermark != watermark_ && *day_of_key(key) < *watermark;
      if (!went) find(Kind::missing, key, fmt::format("it had {} rows; {}", facts.rows, kRepair));
      return Intact::no;
    }
  }
  ++report_.files;
  report_.rows += facts.rows;
  report_.bytes += found->second;
  watch_.report(report_.files, there_.size());
  const auto damaged = [&](const std::string& what) {
    if (half_forgotten_.contains(key))
      find(Kind::unfinished, key, "a `forget` ended in its middle; run it again");
    else
      find(Kind::damaged, key, what);
    return Intact::no;
  };
  if (found->second != facts.bytes)
    return damaged(fmt::format("it has {} bytes where {} were written", found->second,
                               facts.bytes));
  try {
    const std::uint64_t rows = bench_.rows_in(key);
    if (rows != facts.rows)
      return damaged(fmt::format("it has {} rows where {} were written", rows, facts.rows));
    if (options_.hashes == VerificationOptions::Hashes::compare &&
        sha256_of_object(archive_.store(), key) != facts.sha256)
      return damaged("its octets are not those that were written");
  } catch (const StorageError& error) {
    return damaged(without_prefix(error.what(), archive_.store().name()));
  }
  return Intact::yes;
}

void Verification::check_rows(const Claim& claim, const std::string& key) {
  const auto counts = bench_.numbers(fmt::format(
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
  const auto counts = bench_.numbers(count_places("FROM " + bench_.rows_of(outputs)));
  if (counts[1] != counts[0])
    find(Kind::twice, compact_folder(compaction.day),
         fmt::format("{} rows are there twice", counts[0] - counts[1]));
}

void Verification::check_strays() {
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
  for (const std::string& key : half_forgotten_)
    if (key.starts_with(comparisons_folder()))
      find(Kind::unfinished, key, "a `forget` ended before its books; run it again");
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
