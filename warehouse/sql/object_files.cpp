#include "warehouse/sql/object_files.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdint>
#include <duckdb.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "warehouse/storage/folder_file.hpp"

namespace segue::warehouse {
namespace {

const std::string kScheme = "archive://";
constexpr const char* kFirst = "segue_first";  // with a file: where its FirstOpening lies
constexpr std::string_view kPatternOctets = "*?[";
constexpr unsigned kWaitingThreads = 16;  // each opens a file at a time, and waits for it

// DuckDB takes its own exceptions for what they are, and others for broken invariants.
template <class Call>
auto as_duckdb(Engine& engine, const Call& call) {
  try {
    return call();
  } catch (const StartupError& error) {
    engine.note_failure(std::current_exception());
    throw duckdb::IOException(std::string(error.what()));
  }
}

std::string_view key_of(std::string_view path) {
  path.remove_prefix(kScheme.size());
  return path;
}

// Segment by segment; `**` stands for any number of them.
bool fits(std::string_view key, std::string_view pattern) {
  const std::size_t slash = pattern.find('/');
  const std::string wanted(pattern.substr(0, slash));
  const std::size_t end = key.find('/');
  const bool last_wanted = slash == std::string_view::npos;
  const bool last = end == std::string_view::npos;
  if (wanted == "**") {
    if (last_wanted) return true;
    return fits(key, pattern.substr(slash + 1)) || (!last && fits(key.substr(end + 1), pattern));
  }
  const std::string segment(key.substr(0, end));
  if (last != last_wanted || ::fnmatch(wanted.c_str(), segment.c_str(), FNM_NOESCAPE) != 0)
    return false;
  return last || fits(key.substr(end + 1), pattern.substr(slash + 1));
}

// A statement opens each of its files several times, for its footer and in each of its threads.
// What it reads fits together only when they are all as the first time, which goes with the
// statement's file.
struct FirstOpening : duckdb::ExtendedOpenFileInfo {
  std::mutex mutex{};
  std::optional<OpenObject> object{};

  static duckdb::OpenFileInfo of(std::string path) {
    duckdb::OpenFileInfo file(std::move(path));
    file.extended_info = duckdb::make_shared_ptr<FirstOpening>();
    file.extended_info->options[kFirst] = duckdb::Value::POINTER(place_of(file));
    return file;
  }

  // nullptr: the file's is none of these, or a copy of its options alone.
  static FirstOpening* in(const duckdb::OpenFileInfo& file) {
    if (!file.extended_info) return nullptr;
    const auto& options = file.extended_info->options;
    const auto found = options.find(kFirst);
    if (found == options.end() || found->second.GetPointer() != place_of(file)) return nullptr;
    return static_cast<FirstOpening*>(file.extended_info.get());
  }

  std::optional<OpenObject> known() {
    const std::lock_guard lock(mutex);
    return object;
  }
  // Another thread may have been faster: what it found counts.
  OpenObject remember(OpenObject found) {
    const std::lock_guard lock(mutex);
    if (!object) object = std::move(found);
    return *object;
  }

 private:
  static std::uintptr_t place_of(const duckdb::OpenFileInfo& file) {
    return reinterpret_cast<std::uintptr_t>(file.extended_info.get());
  }
};

// An object that is open; `file`: where it is a file of this machine.
struct Opened {
  OpenObject object;
  std::optional<FolderFile> file{};
};

// Used by one thread at a time for read-and-move; reads at a place may be several at a time.
class ObjectHandle : public duckdb::FileHandle {
 public:
  ObjectHandle(duckdb::FileSystem& system, const std::string& name, duckdb::FileOpenFlags how,
               Opened opened)
      : FileHandle(system, name, how), opened_(std::move(opened)) {}
  void Close() override {}

  const OpenObject& object() const noexcept { return opened_.object; }
  const std::optional<FolderFile>& file() const noexcept { return opened_.file; }
  std::uint64_t position = 0;

 private:
  const Opened opened_;
};

// The objects of one store, to be read; the database owns it.
class ObjectFileSystem : public duckdb::FileSystem {
 public:
  ObjectFileSystem(Engine& engine, ObjectStore& store, const ObjectCacheSettings& settings)
      : engine_(engine), cache_(store, settings) {}

  std::string GetName() const override { return "SegueArchive"; }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kScheme); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().file().has_value();
  }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  std::string PathSeparator(const std::string&) override { return std::string(1, '/'); }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener>) override {
    FirstOpening only;
    return open(path, flags, only);
  }

  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return as_duckdb(engine_, [&] { return cache_.store().size(key_of(path)).has_value(); });
  }

  void Read(duckdb::FileHandle& handle, void* buffer, std::int64_t bytes,
            duckdb::idx_t location) override {
    const auto& opened = handle.Cast<ObjectHandle>();
    const std::span into(static_cast<char*>(buffer), static_cast<std::size_t>(bytes));
    as_duckdb(engine_, [&] {
      opened.file() ? opened.file()->read(location, into)
                    : cache_.read(opened.object(), location, into);
    });
  }

  std::int64_t Read(duckdb::FileHandle& handle, void* buffer, std::int64_t bytes) override {
    auto& opened = handle.Cast<ObjectHandle>();
    const std::uint64_t left = opened.object().version.bytes - opened.position;
    bytes = static_cast<std::int64_t>(std::min(static_cast<std::uint64_t>(bytes), left));
    Read(handle, buffer, bytes, opened.position);
    opened.position += static_cast<std::uint64_t>(bytes);
    return bytes;
  }

  void Seek(duckdb::FileHandle& handle, duckdb::idx_t location) override {
    auto& opened = handle.Cast<ObjectHandle>();
    opened.position = std::min<std::uint64_t>(location, opened.object().version.bytes);
  }
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().position;
  }

  std::int64_t GetFileSize(duckdb::FileHandle& handle) override {
    return static_cast<std::int64_t>(handle.Cast<ObjectHandle>().object().version.bytes);
  }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override {
    return duckdb::timestamp_t(0);  // the version tag tells
  }
  std::string GetVersionTag(duckdb::FileHandle& handle) override {
    return handle.Cast<ObjectHandle>().object().identity;
  }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }

  // Each scan of a statement looks its files up here, and then opens each of them several times. A
  // path without a pattern is itself: whether it is there shows when it is opened.
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    duckdb::vector<duckdb::OpenFileInfo> found;
    const std::string_view pattern = key_of(path);
    const std::size_t first = pattern.find_first_of(kPatternOctets);
    if (first == std::string_view::npos) {
      found.push_back(FirstOpening::of(path));
      return found;
    }
    as_duckdb(engine_, [&] {
      cache_.store().list(pattern.substr(0, first), {}, [&](const StoredObject& object) {
        if (fits(object.key, pattern)) found.push_back(FirstOpening::of(kScheme + object.key));
      });
    });
    return found;
  }

 protected:
  bool SupportsOpenFileExtended() const override { return true; }
  duckdb::unique_ptr<duckdb::FileHandle> OpenFileExtended(
      const duckdb::OpenFileInfo& file, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    if (FirstOpening* const first = FirstOpening::in(file)) return open(file.path, flags, *first);
    return OpenFile(file.path, flags, opener);
  }

 private:
  duckdb::unique_ptr<duckdb::FileHandle> open(const std::string& path, duckdb::FileOpenFlags flags,
                                              FirstOpening& first) {
    if (flags.OpenForWriting())
      throw duckdb::IOException(fmt::format("{}: statements only read an archive", path));
    auto opened = as_duckdb(engine_, [&] { return open_as_first(key_of(path), first); });
    if (opened) return duckdb::make_uniq<ObjectHandle>(*this, path, flags, std::move(*opened));
    if (flags.ReturnNullIfNotExists()) return nullptr;
    throw duckdb::IOException(
        fmt::format("{}: there is no object {}", cache_.store().name(), key_of(path)));
  }

  std::optional<Opened> open_as_first(std::string_view key, FirstOpening& first) {
    if (const auto path = cache_.store().file_of(key)) {
      auto file = FolderFile::open(*path);
      if (!file) return std::nullopt;
      const ObjectVersion& now = file->version();
      OpenObject object =
          first.remember({.key = std::string(key), .version = now, .identity = now.tag});
      if (object.identity != now.tag) throw replaced_while_read(cache_.store(), key);
      return Opened{.object = std::move(object), .file = std::move(file)};
    }
    if (auto object = first.known()) return Opened{.object = std::move(*object)};
    auto object = cache_.open(key);
    if (!object) return std::nullopt;
    return Opened{.object = first.remember(std::move(*object))};
  }

  Engine& engine_;
  ObjectCache cache_;
};

}  // namespace

std::string sql_path(std::string_view key) {
  return kScheme + std::string(key);
}

void mount(Engine& engine, ObjectStore& store, const ObjectCacheSettings& cache) {
  // DuckDB's own cache of files has no limit but that of all its memory.
  engine.run("SET enable_external_file_cache = false");
  auto& connection = *reinterpret_cast<duckdb::Connection*>(engine.connection());
  duckdb::FileSystem::GetFileSystem(*connection.context->db)
      .RegisterSubSystem(duckdb::make_uniq<ObjectFileSystem>(engine, store, cache));
}

void mount_to_ask(Engine& engine, ObjectStore& store) {
  mount(engine, store);
  engine.run("SET parquet_metadata_cache = true");
  if (!store.file_of("")) engine.run(fmt::format("SET threads = {}", kWaitingThreads));
}

}  // namespace segue::warehouse
