#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/journal/journal.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::recorder::test {

constexpr std::uint64_t kKiB = 1024;

// A journal of small segments: 64 KiB each unless the test says otherwise.
JournalSettings small_journal(const std::filesystem::path& directory,
                              std::uint64_t max_bytes = 4096 * kKiB,
                              std::uint64_t segment_bytes = 64 * kKiB);

// The n-th id; ids of greater n sort after.
ExchangeId id_of(std::uint64_t n);
// As in a record: field 1 holds the id; `filler` more bytes that depend on n.
std::string payload_of(std::uint64_t n, std::size_t filler = 100);
// The n of a payload.
std::uint64_t number_in(std::string_view payload);

// begin, fill, commit; whether there was room.
bool append(Lane& lane, std::string_view payload, FrameKind kind = FrameKind::exchange,
            Room room = Room::free);
// An open intent: appended and told to the lane.
bool open_intent(Lane& lane, std::uint64_t n, std::size_t filler = 100);

struct Row {
  FrameKind kind;
  std::string run;
  std::uint32_t lane;
  std::uint64_t lane_sequence;
  std::int64_t commit_ns;
  std::string payload;
  std::uint64_t number() const { return number_in(payload); }
};

// Everything that is there now.
std::vector<Row> drain(JournalReader& reader);

struct Contents {
  std::vector<Row> rows;
  std::vector<Damage> damage;
  std::vector<std::uint64_t> numbers() const;
};
Contents read_journal(const std::filesystem::path& directory, const ReadOptions& options = {});

// Segment files of the only run, sorted; `lane` 0.
std::vector<std::filesystem::path> segments_of(const std::filesystem::path& run,
                                               std::uint32_t lane = 0);
std::filesystem::path only_run(const std::filesystem::path& directory);

std::string file_bytes(const std::filesystem::path& path);
void overwrite(const std::filesystem::path& path, std::uint64_t offset, std::string_view bytes);

}  // namespace segue::recorder::test
