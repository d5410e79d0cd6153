#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/journal/reader.hpp"

namespace segue::cli {

class Progress;

// How far the reading of a journal has come, by the frames' own numbers. What there is in all is
// looked up once, when a bar is first drawn: the last frames of each lane. One thread.
class JournalProgress {
 public:
  explicit JournalProgress(std::filesystem::path journal) : journal_(std::move(journal)) {}

  // A frame that was read.
  void note(const recorder::Frame& frame);
  void show(Progress& progress);

 private:
  struct Lane {
    std::string run;
    std::uint32_t lane = 0;
    std::uint64_t first = 0;  // lane_sequence; 0: not known
    std::uint64_t at = 0;     // the last that was read; 0: none
    std::uint64_t last = 0;   // of the journal, as of the look at it
  };

  Lane& lane_of(std::string_view run, std::uint32_t lane);
  void measure();
  void measure(Lane& lane) const;

  const std::filesystem::path journal_;
  std::vector<Lane> lanes_;
  std::size_t recent_ = 0;  // of `lanes_`: frames of one lane come in rows
  bool measured_ = false;
};

}  // namespace segue::cli
