#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/journal/journal.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::recorder::test {

constexpr std::uint64_t kKiB = 1024;

// The first line of a test case: it runs once lean and once warm, and small_journal() gives
// settings of the one whose turn it is.
#define IN_LEAN_AND_WARM() \
  select_pages(GENERATE(SegmentPages::lean, SegmentPages::warm))
void select_pages(SegmentPages pages);
SegmentPages selected_pages() noexcept;

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

// Works in a child process that then dies without a word, as by SIGKILL.
template <class Work>
void die_after(const JournalSettings& settings, unsigned lanes, Work work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Journal journal(settings, lanes, kKiB);
    work(journal);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
}

template <class Work>
void die_after(const JournalSettings& settings, Work work) {
  die_after(settings, 1, [&](Journal& journal) { work(journal.lane(0)); });
}

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
