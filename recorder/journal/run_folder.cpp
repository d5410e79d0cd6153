#include "recorder/journal/run_folder.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <utility>

#include "exchange/id.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::size_t kSequenceDigits = 20;
constexpr std::string_view kMaking = ".new-";
constexpr std::string_view kRemoving = ".gone-";
constexpr int kCreateAttempts = 8;

template <class Number>
std::optional<Number> number_of(std::string_view text) noexcept {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error))
    names.push_back(at->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory)
    return storage_error(error.value(), "reading a folder of the journal");
  std::sort(names.begin(), names.end());
  return names;
}

template <class Names>
Names or_none(Result<Names> found) {
  return found ? std::move(*found) : Names{};
}

struct flock whole_file() noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool make_subfolders(const fs::path& run, unsigned lanes) noexcept {
  if (::mkdir((run / "cursors").c_str(), 0700) != 0) return false;
  for (unsigned lane = 0; lane < lanes; ++lane)
    if (::mkdir((run / fmt::to_string(lane)).c_str(), 0700) != 0) return false;
  return true;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

BootId read_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  BootId boot{};
  if (!std::getline(file, text)) return boot;
  const auto id = ExchangeId::parse(text);
  if (id) std::copy_n(id->raw().begin(), boot.size(), boot.begin());
  return boot;
}

}  // namespace

const BootId& current_boot() {
  static const BootId running = read_boot();
  return running;
}

std::string make_run_name() {
  const std::int64_t now = runtime::unix_micros_now();
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random)
    random = static_cast<std::uint32_t>(runtime::monotonic_now());
  return fmt::format("{:%Y%m%dT%H%M%S}.{:06}Z-{:08x}", fmt::gmtime(now / 1'000'000),
                     now % 1'000'000, random);
}

bool is_run_name(std::string_view name) noexcept {
  constexpr std::string_view kShape = "00000000T000000.000000Z-xxxxxxxx";
  if (name.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool fits = kShape[i] == '0'   ? is_digit(name[i])
                      : kShape[i] == 'x' ? is_digit(name[i]) || (name[i] >= 'a' && name[i] <= 'f')
                                         : name[i] == kShape[i];
    if (!fits) return false;
  }
  return true;
}

bool is_half_run_name(std::string_view name) noexcept {
  return name.starts_with(kMaking) || name.starts_with(kRemoving);
}

std::string segment_file_name(std::uint64_t sequence) {
  return fmt::format("{:020}{}", sequence, kSegmentSuffix);
}

fs::path segment_path(const fs::path& run, std::uint32_t lane, std::uint64_t sequence) {
  return run / fmt::to_string(lane) / segment_file_name(sequence);
}

SegmentHeader make_segment_header(const BootId& boot, std::string_view run, std::uint32_t lane,
                                  std::uint64_t sequence) {
  SegmentHeader header{};
  header.boot_id = boot;
  std::copy_n(run.begin(), std::min(run.size(), header.run.size()), header.run.begin());
  header.lane = lane;
  header.sequence = sequence;
  header.created_unix_ns = runtime::unix_micros_now() * 1000;
  header.created_monotonic_ns = runtime::monotonic_now();
  finish_header(header);
  return header;
}

Result<std::vector<std::string>> find_runs(const fs::path& directory) {
  auto runs = names_in(directory);
  if (runs) std::erase_if(*runs, [](const std::string& name) { return !is_run_name(name); });
  return runs;
}

Result<std::vector<std::uint32_t>> find_lanes(const fs::path& run) {
  const auto names = names_in(run);
  if (!names) return names.error();
  std::vector<std::uint32_t> lanes;
  for (const std::string& name : *names)
    if (const auto lane = number_of<std::uint32_t>(name)) lanes.push_back(*lane);
  std::sort(lanes.begin(), lanes.end());
  return lanes;
}

Result<std::vector<std::uint64_t>> find_segments(const fs::path& run, std::uint32_t lane) {
  const auto names = names_in(run / fmt::to_string(lane));
  if (!names) return names.error();
  std::vector<std::uint64_t> sequences;
  for (const std::string& name : *names) {
    if (name.size() != kSequenceDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix))
      continue;
    const std::string_view digits = std::string_view(name).substr(0, kSequenceDigits);
    if (const auto sequence = number_of<std::uint64_t>(digits)) sequences.push_back(*sequence);
  }
  return sequences;
}

std::vector<std::string> list_runs(const fs::path& directory) {
  return or_none(find_runs(directory));
}


std::vector<std::uint64_t> list_segments(const fs::path& run, std::uint32_t lane) {
  return or_none(find_segments(run, lane));
}

Result<std::uint64_t> run_bytes(const fs::path& run) {
  const auto lanes = find_lanes(run);
  if (!lanes) return lanes.error();
  std::uint64_t bytes = 0;
  for (const std::uint32_t lane : *lanes) {
    const auto segments = find_segments(run, lane);
    if (!segments) return segments.error();
    for (const std::uint64_t sequence : *segments) {
      struct stat status {};
      if (::stat(segment_path(run, lane, sequence).c_str(), &status) == 0)
        bytes += static_cast<std::uint64_t>(status.st_size);
    }
  }
  return bytes;
}

Result<RunLock> RunLock::take(const fs::path& run) {
  FileHandle file(::open((run / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "opening the lock of a run");
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0)
    return storage_error(errno, "locking a run");
  return RunLock(std::move(file));
}

bool run_is_locked(const fs::path& run) {
  const FileHandle file(::open((run / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) return false;
  return lock.l_type != F_UNLCK;
}

Result<NewRun> create_run(const fs::path& directory, unsigned lanes) {
  int last_error = EEXIST;
  for (int attempt = 0; attempt < kCreateAttempts; ++attempt) {
    std::string name = make_run_name();
    const fs::path making = directory / (std::string(kMaking) + name);
    if (::mkdir(making.c_str(), 0700) != 0) return storage_error(errno, "making a run folder");
    auto lock = RunLock::take(making);
    fs::path path = directory / name;
    if (lock && make_subfolders(making, lanes) && ::rename(making.c_str(), path.c_str()) == 0)
      return NewRun{std::move(name), std::move(path), std::move(*lock)};
    last_error = errno;
    std::error_code ignored;
    fs::remove_all(making, ignored);
    // Another process may have taken the unlocked folder for a leftover; anything else is final.
    if (last_error != EAGAIN && last_error != ENOENT) break;
  }
  return storage_error(last_error, "making a run folder");
}

Result<void> remove_run(const fs::path& directory, const std::string& run) {
  const fs::path removing = directory / (std::string(kRemoving) + run);
  if (::rename((directory / run).c_str(), removing.c_str()) != 0)
    return storage_error(errno, "removing a dead run");
  std::error_code error;
  fs::remove_all(removing, error);
  if (error) return storage_error(error.value(), "removing a dead run");
  return {};
}

void remove_leftovers(const fs::path& directory) {
  for (const std::string& name : or_none(names_in(directory))) {
    if (!is_half_run_name(name)) continue;
    const auto lock = RunLock::take(directory / name);
    if (!lock) continue;
    std::error_code ignored;
    fs::remove_all(directory / name, ignored);
  }
}

}  // namespace segue::recorder
