#include "recorder/journal/reader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "recorder/journal/causal_merge.hpp"
#include "recorder/journal/consumers.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/keyed_hash.hpp"

namespace segue::recorder {

namespace fs = std::filesystem;

namespace {

constexpr const char* kNoJournal = "opening a folder that is no journal";
constexpr std::size_t kNamesShown = 3;

bool is_of_journal(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return is_run_name(name) || is_half_run_name(name) || name == kConsumersFolder ||
         name == kDestinationFile ||  // its runs are gone
         name == kAccountKeyFile;     // of a gateway that has recorded nothing yet
}

// "LICENSE, README.md, a.txt and 4 more"; a name may be anything, and this is for a terminal.
std::string shown(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  const std::size_t count = std::min(names.size(), kNamesShown);
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(count);
  std::string text = fmt::format("{}", fmt::join(names.begin(), end, ", "));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c == '\x7f'; }, '?');
  return names.size() == count ? text : fmt::format("{} and {} more", text, names.size() - count);
}

// A folder right below that has runs, or the one above a run; empty: neither.
fs::path journal_near(const fs::path& directory) {
  const fs::path named = directory.has_filename() ? directory : directory.parent_path();
  if (is_run_name(named.filename().string())) return named.parent_path();
  std::error_code error;
  for (fs::directory_iterator at(named, error), end; !error && at != end; at.increment(error)) {
    std::error_code unreadable;
    const fs::directory_iterator below(at->path(), unreadable);
    if (std::any_of(below, fs::directory_iterator(), [](const fs::directory_entry& entry) {
          return is_run_name(entry.path().filename().string());
        }))
      return at->path();
  }
  return {};
}

}  // namespace

std::string why_unopened(const fs::path& directory, const Error& error) {
  if (error.doing != kNoJournal)
    return fmt::format("journal:{}: {}; give the folder of recorder.journal.dir",
                       directory.string(), describe(error));
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator at(directory, ignored), end; !ignored && at != end;
       at.increment(ignored))
    names.push_back(at->path().filename().string());
  const fs::path near = journal_near(directory);
  return fmt::format(
      "journal:{}: no journal: it has no folder of a gateway's run, such as "
      "20261121T105436.123456Z-9f86d081, but {}; give the folder of recorder.journal.dir{}",
      directory.string(), shown(std::move(names)),
      near.empty() ? std::string() : fmt::format("; {} is one", near.string()));
}

struct JournalReader::State {
  State(fs::path folder, const ReadOptions& options)
      : directory(std::move(folder)),
        only_run(options.run),
        behind(options.behind),
        running_boot(current_boot()),
        merge(options, damage, [this] { return look_around(); }) {}

  Result<void> look_around();
  Result<void> meet_runs();
  Result<void> begin_behind(MergedRun& run);
  RunLife life_of(const MergedRun& run) const;

  const fs::path directory;
  const std::string only_run;  // empty: all
  const std::function<std::uint64_t(std::string_view, std::uint32_t)> behind;
  const BootId running_boot;
  std::vector<Damage> damage;
  std::map<std::string, std::map<std::uint32_t, LaneTrack>> tracks;  // by run
  std::map<std::string, std::unique_ptr<MergedRun>, std::less<>> known;
  CausalMerge merge;
};

// The lock is asked first: a run is sealed under it.
RunLife JournalReader::State::life_of(const MergedRun& run) const {
  const bool locked = run.boot == running_boot && run_is_locked(run.path);
  if (run_is_sealed(run.path)) return RunLife::sealed;
  return locked ? RunLife::alive : RunLife::dead;
}

Result<void> JournalReader::State::meet_runs() {
  const auto names = find_runs(directory);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (known.contains(name) || (!only_run.empty() && name != only_run)) continue;
    auto met = MergedRun::meet(directory / name);
    if (!met) return met.error();
    if (!*met) continue;
    MergedRun& run = **met;
    run.life = life_of(run);
    if (behind && run.life != RunLife::dead)
      if (const auto begun = begin_behind(run); !begun) return begun.error();
    merge.add(run);
    known.emplace(name, std::move(*met));
  }
  return {};
}

Result<void> JournalReader::State::begin_behind(MergedRun& run) {
  const auto lanes = find_lanes(run.path);
  if (!lanes) return lanes.error();
  auto& of_run = tracks[run.name];
  for (const std::uint32_t lane : *lanes) {
    LaneTrack& track = of_run[lane];
    track.behind = behind(run.name, lane);
    track.begins_anywhere = track.behind == 0;
  }
  run.tracks = &of_run;
  return {};
}

Result<void> JournalReader::State::look_around() {
  if (::access(directory.c_str(), R_OK | X_OK) != 0)
    return storage_error(errno, "reading the journal's folder");
  for (const auto& [name, run] : known)
    if (run->life == RunLife::alive) run->life = life_of(*run);
  return meet_runs();
}

JournalReader::JournalReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
JournalReader::~JournalReader() = default;

Result<std::unique_ptr<JournalReader>> JournalReader::open(const fs::path& directory,
                                                           const ReadOptions& options) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error) return storage_error(error.value(), "opening the journal's folder");
  const bool empty = entries == fs::directory_iterator();
  if (!empty && std::none_of(entries, fs::directory_iterator(), is_of_journal))
    return storage_error(EINVAL, kNoJournal);
  return std::unique_ptr<JournalReader>(
      new JournalReader(std::make_unique<State>(directory, options)));
}

Result<std::optional<Frame>> JournalReader::next() {
  auto merged = state_->merge.next();
  if (!merged) return merged.error();
  if (!*merged) return std::optional<Frame>();
  return std::optional<Frame>((*merged)->frame);
}

const std::vector<Damage>& JournalReader::damage() const noexcept { return state_->damage; }

}  // namespace segue::recorder
