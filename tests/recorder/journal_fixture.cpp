#include "tests/recorder/journal_fixture.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fstream>
#include <iterator>

#include "recorder/journal/run_folder.hpp"

namespace segue::recorder::test {

namespace fs = std::filesystem;

namespace {
SegmentPages pages_under_test = SegmentPages::lean;
}  // namespace

void select_pages(SegmentPages pages) {
  pages_under_test = pages;
  UNSCOPED_INFO((pages == SegmentPages::warm ? "warm" : "lean"));
}

SegmentPages selected_pages() noexcept { return pages_under_test; }

JournalSettings small_journal(const fs::path& directory, std::uint64_t max_bytes,
                              std::uint64_t segment_bytes) {
  JournalSettings settings;
  settings.directory = directory;
  settings.max_bytes = max_bytes;
  settings.segment_bytes = segment_bytes;
  settings.pages = pages_under_test;
  return settings;
}

ExchangeId id_of(std::uint64_t n) {
  std::array<std::uint8_t, ExchangeId::kBytes> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::uint8_t>(n >> (56 - 8 * i));
  bytes[0] = 1;
  return ExchangeId(bytes);
}

std::string payload_of(std::uint64_t n, std::size_t filler) {
  std::string payload = "\x0A\x10";
  payload += id_of(n).raw();
  for (std::size_t i = 0; i < filler; ++i) payload += static_cast<char>('a' + (n + i) % 26);
  return payload;
}

std::uint64_t number_in(std::string_view payload) {
  std::uint64_t n = 0;
  for (std::size_t i = 10; i < 18; ++i) n = n << 8 | static_cast<std::uint8_t>(payload[i]);
  return n;
}

bool append(Lane& lane, std::string_view payload, FrameKind kind, Room room) {
  auto into = lane.begin(kind, payload.size(), room);
  if (!into) return false;
  std::memcpy(into->data(), payload.data(), payload.size());
  lane.commit();
  return true;
}

bool open_intent(Lane& lane, std::uint64_t n, std::size_t filler) {
  if (!append(lane, payload_of(n, filler), FrameKind::intent)) return false;
  lane.intent_opened(id_of(n));
  return true;
}

std::vector<Row> drain(JournalReader& reader) {
  std::vector<Row> rows;
  for (;;) {
    const auto next = reader.next();
    REQUIRE(next.has_value());
    if (!*next) return rows;
    const Frame& frame = **next;
    rows.push_back({frame.kind, std::string(frame.run), frame.lane, frame.lane_sequence,
                    frame.commit_ns, std::string(frame.payload)});
  }
}

std::vector<std::uint64_t> Contents::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (const Row& row : rows) numbers.push_back(row.number());
  return numbers;
}

Contents read_journal(const fs::path& directory, const ReadOptions& options) {
  auto reader = JournalReader::open(directory, options);
  REQUIRE(reader.has_value());
  Contents contents;
  contents.rows = drain(**reader);
  contents.damage = (*reader)->damage();
  return contents;
}

std::vector<fs::path> segments_of(const fs::path& run, std::uint32_t lane) {
  std::vector<fs::path> paths;
  for (const std::uint64_t sequence : list_segments(run, lane))
    paths.push_back(segment_path(run, lane, sequence));
  return paths;
}

fs::path only_run(const fs::path& directory) {
  const auto runs = list_runs(directory);
  REQUIRE(runs.size() == 1);
  return directory / runs.front();
}

std::string file_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const fs::path& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

}  // namespace segue::recorder::test
