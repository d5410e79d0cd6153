#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/interruption.hpp"
#include "cli/journal/journal_commands.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "exchange/error.hpp"
#include "recorder/journal/consumers.hpp"
#include "recorder/journal/lane_reader.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;
using recorder::Damage;
using recorder::LaneReader;
using recorder::RunLife;

// What reading it all found.
struct Findings {
  std::uint64_t runs = 0;
  std::uint64_t lanes = 0;
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;        // of payloads
  std::uint64_t overwritten = 0;  // frames that a ring took: no damage
  std::vector<Damage> damage;
  std::vector<std::string> other;  // what is no segment: a seal, a folder
  bool interrupted = false;
};

// The lock is asked first: a run is sealed under it.
RunLife life_of(const fs::path& run) {
  const bool locked = recorder::run_is_locked(run);
  if (recorder::run_is_sealed(run)) return RunLife::sealed;
  return locked ? RunLife::alive : RunLife::dead;
}

// Whether what is missing from a run is what a ring is expected to take, or is a finding.
enum class Missing : std::uint8_t { overwritten, damage };

Missing meaning_in(const fs::path& journal, const fs::path& run) {
  const auto configured = recorder::configured_consumers(run);
  const auto registered = recorder::registered_consumers(journal);
  const bool ring = configured && configured->empty() && registered && registered->empty();
  return ring ? Missing::overwritten : Missing::damage;
}

// What is recycled while it is read, and what is missing behind that, was overwritten.
void add_damage(const std::vector<Damage>& of_lane, Missing missing, Findings& findings) {
  bool recycled = missing == Missing::overwritten;
  for (const Damage& one : of_lane) {
    const bool gap = one.what == "frames are missing before this one";
    if (one.what == "segment was recycled while it was read") {
      recycled = true;
      findings.overwritten += one.lost;
    } else if (gap && recycled) {
      findings.overwritten += one.lost;
    } else {
      findings.damage.push_back(one);
    }
  }
}

// Shows how far it is by the bytes of segments that were begun.
class Verification {
 public:
  explicit Verification(fs::path journal) : journal_(std::move(journal)) {}

  Findings run() {
    measure();
    for (const std::string& name : recorder::list_runs(journal_)) {
      if (findings_.interrupted) break;
      verify_run(name);
    }
    return std::move(findings_);
  }

 private:
  void measure() {
    for (const std::string& name : recorder::list_runs(journal_)) {
      const auto bytes = recorder::run_bytes(journal_ / name);
      if (bytes) total_bytes_ += *bytes;
    }
  }

  void verify_run(const std::string& name) {
    const fs::path run = journal_ / name;
    const auto lanes = recorder::find_lanes(run);
    if (!lanes) {
      findings_.other.push_back(fmt::format("{}: {}", run.string(), describe(lanes.error())));
      return;
    }
    ++findings_.runs;
    const RunLife life = life_of(run);
    recorder::Cursor ends;
    if (life == RunLife::sealed) {
      auto sealed = recorder::load_sealed(run);
      if (sealed)
        ends = std::move(*sealed);
      else
        findings_.other.push_back(fmt::format("{}/sealed.json: {}", run.string(),
                                              describe(sealed.error())));
    }
    for (const std::uint32_t lane : *lanes) verify_lane(run, name, lane, life, ends);
  }

  void verify_lane(const fs::path& run, const std::string& name, std::uint32_t lane, RunLife life,
                   const recorder::Cursor& ends) {
    ++findings_.lanes;
    std::vector<Damage> damage;
    recorder::ReadOptions options;
    options.intents = true;
    LaneReader reader(run, name, lane, options, damage);
    std::uint64_t last = 0;
    while (!findings_.interrupted && reader.look(life) == LaneReader::Look::frame) {
      last = reader.head().lane_sequence;
      ++findings_.frames;
      findings_.bytes += reader.head().payload.size();
      reader.pop();
      if (findings_.frames % kLookEvery == 0) {
        progress_.at(std::min(findings_.bytes, total_bytes_), total_bytes_);
        findings_.interrupted = interrupted();
      }
    }
    add_damage(damage, meaning_in(journal_, run), findings_);
    const std::uint64_t end = ends.position(lane);
    if (!findings_.interrupted && last != 0 && last < end)
      findings_.other.push_back(fmt::format("{}/{}: frames {} to {} are missing at its end",
                                            run.string(), lane, last + 1, end));
  }

  static constexpr std::uint64_t kLookEvery = 4'096;  // frames

  const fs::path journal_;
  Findings findings_;
  std::uint64_t total_bytes_ = 0;
  Progress progress_{"reading the journal"};
};

std::string as_text(const Findings& found, const Paint& paint) {
  std::string text;
  for (const Damage& one : found.damage) {
    text += fmt::format("{} {}: {} at byte {}", paint.error("damaged:"), one.segment.string(),
                        one.what, one.offset);
    text += one.lost == 0 ? "\n" : fmt::format(", {} frames lost\n", grouped(one.lost));
  }
  for (const std::string& one : found.other) text += paint.error("damaged: ") + one + "\n";
  text += fmt::format("{} frames in {} lanes of {} runs, {} bytes\n", grouped(found.frames),
                      grouped(found.lanes), grouped(found.runs), grouped(found.bytes));
  if (found.overwritten != 0)
    text += fmt::format("{} frames were overwritten while they were read\n",
                        grouped(found.overwritten));
  return text;
}

std::string as_json(const JournalPlace& place, const Findings& found) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("journal", place.name());
  json.member("runs", found.runs);
  json.member("lanes", found.lanes);
  json.member("frames", found.frames);
  json.member("bytes", found.bytes);
  json.member("overwritten", found.overwritten);
  json.key("damage");
  json.begin_array();
  for (const Damage& one : found.damage) {
    json.begin_object();
    json.member("segment", one.segment.string());
    json.member("offset", one.offset);
    json.member("what", one.what);
    json.member("lost", one.lost);
    json.end_object();
  }
  for (const std::string& one : found.other) {
    json.begin_object();
    json.member("what", one);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace

JournalVerifyCommand::JournalVerifyCommand(CLI::App& journal)
    : command_(journal.add_subcommand(
          "verify", "Reads every frame; exit code 1 and what it is when something is damaged")) {
  place_.add_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool JournalVerifyCommand::chosen() const { return command_->parsed(); }

int JournalVerifyCommand::run() {
  place_.resolve();
  listen_for_interrupts();
  const Findings found = Verification(place_.folder()).run();
  if (found.interrupted) return kInterrupted;
  write_out(form_ == OutputForm::json ? as_json(place_, found)
                                      : as_text(found, Paint(colour_, stdout)));
  return found.damage.empty() && found.other.empty() ? kClean : kFound;
}

}  // namespace segue::cli
