#include "recorder/journal/consumers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"
#include "recorder/journal/storage.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNamesBytes = 64 << 10;

fs::path folder_of(const fs::path& directory) { return directory / kConsumersFolder; }

fs::path begin_path(const fs::path& run, const std::string& name) {
  return run / "cursors" / (name + ".begin");
}

fs::path lock_path(const fs::path& run, const std::string& name) {
  return run / "cursors" / (name + ".lock");
}

struct flock whole_file(short type) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// A consumer that never began has nothing to leave out.
Cursor load_begin(const fs::path& run, const std::string& name) {
  auto begin = load_cursor_file(begin_path(run, name));
  return begin ? std::move(*begin) : Cursor{};
}

// What a run holds when its reader becomes a consumer. A run that goes meanwhile needs none.
Result<void> begin_in(const fs::path& run, const std::string& name) {
  const auto lanes = find_lanes(run);
  if (!lanes) return lanes.error();
  Cursor begin;
  for (const std::uint32_t lane : *lanes) {
    const auto last = last_sequence(run, lane);
    if (!last) return last.error();
    begin.lanes[lane] = *last;
  }
  auto stored = store_cursor_file(begin_path(run, name), begin, Sync::no);
  if (!stored && stored.error().code.value() == ENOENT) return {};
  return stored;
}

Result<void> begin_everywhere(const fs::path& directory, const std::string& name) {
  const auto runs = find_runs(directory);
  if (!runs) return runs.error();
  for (const std::string& run : *runs)
    if (auto begun = begin_in(directory / run, name); !begun) return begun;
  return {};
}

Result<void> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return storage_error(errno, "removing a consumer");
}

// By their names: those of a consumer `name.more` begin with the same.
Result<void> remove_cursors(const fs::path& run, const std::string& name) {
  for (const fs::path& path :
       {run / "cursors" / (name + ".json"), begin_path(run, name), lock_path(run, name)})
    if (auto removed = remove_file(path); !removed) return removed;
  return {};
}

// Only one process at a time registers or drops consumers.
Result<FileHandle> lock_consumers(const fs::path& directory) {
  return lock_folder(folder_of(directory), "locking the consumers of the journal");
}

// Where it begins is told before it is one, or a gateway might keep for it what it never asked for.
// Another process may have been first: then it begins where that one did.
Result<FileHandle> register_consumer(const fs::path& directory, const std::string& name) {
  if (::mkdir(folder_of(directory).c_str(), 0700) != 0 && errno != EEXIST)
    return storage_error(errno, "registering a consumer");
  const auto lock = lock_consumers(directory);
  if (!lock) return lock.error();
  const fs::path path = folder_of(directory) / name;
  if (::access(path.c_str(), F_OK) != 0)
    if (auto begun = begin_everywhere(directory, name); !begun) return begun.error();
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "registering a consumer");
  return file;
}

// Of a run that was removed there is no folder for it.
Result<FileHandle> lock_cursor(const fs::path& run, const std::string& consumer) {
  FileHandle file(
      ::open(lock_path(run, consumer).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "locking a cursor");
  struct flock lock = whole_file(F_WRLCK);
  while (::fcntl(file.get(), F_OFD_SETLKW, &lock) != 0)
    if (errno != EINTR) return storage_error(errno, "locking a cursor");
  return file;
}

// lane_sequence of the last frame of a segment; 0: it has none.
Result<std::uint64_t> last_in(const fs::path& path) {
  const auto source = FileSource::open(path);
  if (!source && source.error().code.value() == ENOENT) return std::uint64_t{0};
  if (!source) return source.error();
  const auto header = read_header(*source);
  if (!header || header_fault(*header) != nullptr) return std::uint64_t{0};
  SegmentScanner scanner(*source, *header);
  std::uint64_t last = 0;
  for (auto step = scanner.next(); step.outcome == SegmentScanner::Outcome::frame;
       step = scanner.next())
    last = step.header.lane_sequence;
  return last;
}

}  // namespace

Result<void> say_configured(const fs::path& run, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(name).append("\n");
  const FileHandle file(
      ::open((run / "consumers").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "naming the consumers of a run");
  if (const int error = Storage::system().write(file.get(), text, 0))
    return storage_error(error, "naming the consumers of a run");
  return {};
}

Result<std::vector<std::string>> configured_consumers(const fs::path& run) {
  std::vector<std::string> names;
  const FileHandle file(::open((run / "consumers").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return names;
  if (!file) return storage_error(errno, "reading the consumers of a run");
  std::string text(kMaxNamesBytes, '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) return storage_error(errno, "reading the consumers of a run");
  std::string_view rest(text.data(), static_cast<std::size_t>(got));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

Result<std::vector<std::string>> registered_consumers(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(folder_of(directory), error);
  for (; !error && at != fs::directory_iterator(); at.increment(error))
    names.push_back(at->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory)
    return storage_error(error.value(), "looking for consumers of the journal");
  std::sort(names.begin(), names.end());
  return names;
}

Result<ConsumerLease> ConsumerLease::take(const fs::path& directory, const std::string& name) {
  const fs::path path = folder_of(directory) / name;
  FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file && errno != ENOENT) return storage_error(errno, "registering a consumer");
  if (!file) {
    auto registered = register_consumer(directory, name);
    if (!registered) return registered.error();
    file = std::move(*registered);
  }
  struct flock lock = whole_file(F_RDLCK);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0)
    return storage_error(errno, "registering a consumer");
  return ConsumerLease(std::move(file));
}

bool consumer_is_leased(const fs::path& directory, const std::string& name) {
  const FileHandle file(::open((folder_of(directory) / name).c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return false;
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<void> drop_consumer(const fs::path& directory, const std::string& name) {
  const auto lock = lock_consumers(directory);
  if (!lock && lock.error().code.value() != ENOENT) return lock.error();
  if (auto removed = remove_file(folder_of(directory) / name); !removed) return removed;
  const auto runs = find_runs(directory);
  if (!runs) return runs.error();
  for (const std::string& run : *runs) {
    if (auto removed = remove_cursors(directory / run, name); !removed) return removed;
  }
  return {};
}

Result<void> advance_cursor(const fs::path& run, const std::string& consumer, const Cursor& cursor,
                            Sync sync) {
  const auto lock = lock_cursor(run, consumer);
  if (!lock) return lock.error();
  auto stored = load_cursor(run, consumer);
  if (!stored && stored.error().code.value() != EBADMSG) return stored.error();
  Cursor moved = stored ? std::move(*stored) : Cursor{};
  bool further = false;
  for (const auto& [lane, position] : cursor.lanes) {
    std::uint64_t& at = moved.lanes[lane];
    further = further || position > at;
    at = std::max(at, position);
  }
  if (!further) return {};
  return store_cursor(run, consumer, moved, sync);
}

std::optional<ConsumedTo> consumed_to(const fs::path& run,
                                      const std::vector<std::string>& configured,
                                      const std::vector<std::string>& registered,
                                      const std::vector<std::uint32_t>& lanes) {
  if (configured.empty() && registered.empty()) return std::nullopt;
  ConsumedTo to{slowest_cursor(run, configured, lanes), {}};
  to.free = to.passed;
  for (const std::string& name : registered) {
    const Cursor passed = slowest_cursor(run, {name}, lanes);
    const bool held = std::find(configured.begin(), configured.end(), name) != configured.end();
    const Cursor begin = held ? Cursor{} : load_begin(run, name);
    for (const std::uint32_t lane : lanes) {
      const std::uint64_t at = passed.position(lane);
      to.passed.lanes[lane] = std::min(to.passed.lanes[lane], at);
      to.free.lanes[lane] = std::min(to.free.lanes[lane], std::max(at, begin.position(lane)));
    }
  }
  return to;
}

// Those behind the last written one are prepared, or were for nothing.
Result<std::uint64_t> last_sequence(const fs::path& run, std::uint32_t lane) {
  const auto segments = find_segments(run, lane);
  if (!segments) return segments.error();
  for (auto sequence = segments->rbegin(); sequence != segments->rend(); ++sequence) {
    const auto last = last_in(segment_path(run, lane, *sequence));
    if (!last || *last != 0) return last;
  }
  return std::uint64_t{0};
}

}  // namespace segue::recorder
