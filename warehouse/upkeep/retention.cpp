#include "warehouse/upkeep/retention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "warehouse/upkeep/closed_days.hpp"

namespace segue::warehouse {
namespace {

// A look costs nothing, to confirm a term costs a listing.
constexpr std::uint64_t kLooks = 256;

bool leaves(const ClaimState& state, Day before) {
  if (!state.done) return false;
  return day_of_key(state.done->path).value_or(state.claim.day) < before;
}

}  // namespace

// What goes, in the order in which it goes.
struct Retention::Leaving {
  std::vector<std::pair<Chain, std::uint64_t>> beginnings;  // where chains begin afterwards
  std::vector<StoredObject> files;
  std::vector<std::string> claims;  // with what belongs to them
  std::uint64_t claim_count = 0;
  std::vector<std::string> records;
  std::set<Day> days;
};

Retention::Retention(Archive& archive, Day keep_from, UpkeepWatch watch)
    : archive_(archive), keep_from_(keep_from), watch_(std::move(watch)) {}

// Never less than an earlier run began with.
std::optional<Day> Retention::limit(RetentionReport& report) const {
  const auto begun = retained_from(archive_.store());
  const auto watermark = archive_.watermark();
  const Day allowed = watermark ? std::min(keep_from_, *watermark) : Day::min();
  if (!watermark || keep_from_ > *watermark) {
    bool old = false;
    for (const StoredObject& file : archive_.files(watermark))
      old = old || *day_of_key(file.key) < keep_from_;
    if (old)
      report.blocked = fmt::format("days from {} on are older than that, too, but not compacted: "
                                   "`seguectl compact --yes` first",
                                   watermark ? text_of(*watermark) : std::string("the first"));
  }
  if (!watermark && !begun) return std::nullopt;
  return begun ? std::max(*begun, allowed) : allowed;
}

Retention::Leaving Retention::leaving(Day before, Term* term) const {
  ObjectStore& store = archive_.store();
  Leaving leaving;
  std::uint64_t looked = 0;
  const auto go_on = [&] {
    watch_.go_on();
    if (term != nullptr && looked++ % kLooks == 0) term->confirm();
  };
  for (const Chain& chain : archive_.chains()) {
    std::uint64_t begin = archive_.genesis(chain).value_or(0);
    archive_.each_claim(chain, 0, [&](const ClaimState& state) {
      go_on();
      if (state.claim.start >= begin && !leaves(state, before)) return false;
      begin = std::max(begin, state.claim.end + 1);
      ++leaving.claim_count;
      return true;
    });
    leaving.beginnings.emplace_back(chain, begin);
    bool all_go = true;
    store.list(chain_folder(chain), "", [&](const StoredObject& object) {
      // Also what stands beside a claim: 0000.json.done, 0000.json.placed.
      const std::size_t name = object.key.find(".json");
      const auto start = start_of_claim_key(object.key.substr(0, name) + ".json");
      if (start && *start < begin) leaving.claims.push_back(object.key);
      all_go = all_go && (!start || *start < begin);
    });
    if (all_go && store.size(checkpoint_key(chain)))
      leaving.claims.push_back(checkpoint_key(chain));
  }
  for (const std::string& folder : {raw_folder(), compact_folder(), comparisons_folder()})
    store.list(folder, "", [&](const StoredObject& object) {
      const auto day = day_of_key(object.key);
      if (!day || *day >= before) return;
      leaving.files.push_back(object);
      leaving.days.insert(*day);
    });
  for (const char* folder : {"_compactions/", "_closing/"})
    store.list(folder, "", [&](const StoredObject& object) {
      const auto day = day_of_key(object.key);
      if (day && *day < before) leaving.records.push_back(object.key);
    });
  return leaving;
}

RetentionReport Retention::plan() const {
  RetentionReport report;
  const auto before = limit(report);
  if (!before) return report;
  count(leaving(*before, nullptr), *before, report);
  return report;
}

void Retention::count(const Leaving& going, Day before, RetentionReport& report) {
  report.days = going.days.size();
  report.files = going.files.size();
  for (const StoredObject& file : going.files) report.bytes += file.bytes;
  report.claims = going.claim_count;
  if (report.files != 0 || report.claims != 0) report.before = before;
}

RetentionReport Retention::run() {
  Term term(archive_, "retention");
  RetentionReport report;
  report.warnings = term.warnings();
  const auto before = limit(report);
  if (!before) return report;
  const Leaving going = leaving(*before, &term);
  count(going, *before, report);
  if (!report.before) return report;
  ObjectStore& store = archive_.store();
  term.confirm();
  set_retained_from(store, *before);
  const std::uint64_t total = going.files.size() + going.claims.size() + going.records.size();
  std::uint64_t done = 0;
  const auto next = [&] {
    watch_.go_on();
    term.confirm();
    watch_.report(++done, total);
  };
  for (const auto& [chain, begin] : going.beginnings) {
    if (archive_.genesis(chain).value_or(begin) >= begin) continue;
    watch_.go_on();
    term.confirm();
    store.replace(genesis_key(chain), fmt::format("{{\"format_version\":1,\"start\":{}}}", begin));
  }
  for (const StoredObject& file : going.files) {
    next();
    store.remove(file.key);
  }
  // A claim goes before what stands beside it: without its claim nobody asks for that.
  for (const std::string& key : going.claims) {
    next();
    store.remove(key);
  }
  for (const std::string& key : going.records) {
    next();
    store.remove(key);
  }
  return report;
}

}  // namespace segue::warehouse
