#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/journal/damage.hpp"
#include "recorder/journal/lane_reader.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

// Frames of a lane that follow each other.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// Looks ahead in one lane, once over each frame: what is there, and what is missing.
struct LaneScan {
  // `run_name` outlives it.
  LaneScan(const std::filesystem::path& run, std::string_view run_name, std::uint32_t lane,
           std::uint64_t next);

  void look_ahead(recorder::RunLife life);
  // What lies before is not there any more, or is not asked for.
  void drop_before(std::uint64_t lane_sequence);
  // There are frames, and none of them is a record.
  bool has_intents_only() const { return spans.size() == 1 && last_record < spans.front().first; }

  std::vector<recorder::Damage> damage;
  recorder::LaneTrack track;
  recorder::LaneReader reader;
  std::deque<Span> spans;
  std::uint64_t last_record = 0;  // that is no intent
  std::uint64_t given_from = 0;  // what waiting() said last, to before `given_to`
  std::uint64_t given_to = 0;
  bool stale = false;  // what was given is not there any more
};

// Records of one lane, `from` to before `to`.
class LaneRange : public RecordReader {
 public:
  struct Place {
    std::filesystem::path run;
    std::string run_name;
    std::uint32_t lane = 0;
    recorder::RunLife life = recorder::RunLife::alive;
    std::uint64_t end = 0;  // of a sealed run: the lane's last lane_sequence
  };
  // `missing`: set when frames are missing that were there, which throws StartupError, and outlives
  // this; nullptr: what is there will do.
  LaneRange(Place place, std::uint64_t from, std::uint64_t to, bool* missing);

  std::optional<SourceRecord> next() override;

 private:
  const Place place_;
  const std::uint64_t to_;
  bool* const missing_;
  std::vector<recorder::Damage> damage_;
  recorder::LaneTrack track_;
  recorder::LaneReader reader_;
};

// What the first intent or exchange of a segment says of its gateway, "unnamed" where that names
// none; nullopt: there is none yet.
std::optional<std::string> instance_in(const std::filesystem::path& segment);

// lane_sequence of the first frame of a segment; nullopt: there is none, yet or any more.
std::optional<std::uint64_t> first_in(const std::filesystem::path& run, std::uint32_t lane,
                                      std::uint64_t sequence);
// Of all that a lane has now.
std::optional<std::uint64_t> first_in(const std::filesystem::path& run, std::uint32_t lane);

// One line for people.
std::string text_of(const recorder::Damage& damage);

}  // namespace segue::warehouse
