#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/error.hpp"
#include "exchange/remote_error.hpp"

namespace segue::warehouse {

// The disk, or what lies on it, will not have it so; what() is one line that says what, where and
// what to do. A store that cannot be reached, or refuses, throws segue::RemoteError instead.
class StorageError : public StartupError {
 public:
  using StartupError::StartupError;
};

// Whether a call made something, or found it made by somebody else.
enum class Creation : std::uint8_t { created, existed };

struct StoredObject {
  std::string key;  // "raw/dt=2026-11-20/....parquet", below the archive's root
  std::uint64_t bytes = 0;
};

// One content of an object, told from those that replace it.
struct ObjectVersion {
  std::uint64_t bytes = 0;
  std::string tag;  // S3's ETag, what names a file; empty: the store has none
};

// The last octets of one content of an object.
struct ObjectEnd {
  ObjectVersion version;
  std::string content;
};

// What is on its way to become an object has become one by then, or its writer is dead.
inline constexpr std::chrono::hours kLeftAfter{24};

// Where an archive lies: a folder, or a bucket and prefix of S3. Keys are relative, with slashes
// and without `.` and `..`. What a call made is there for everybody when it returns, and stays
// after a power cut. Objects appear whole or not at all. Any thread, several at a time.
//
// Failures that pass are tried again within; then StorageError or RemoteError.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // As a user writes it: archive:DIR, archive:s3://BUCKET/PREFIX.
  virtual const std::string& name() const = 0;

  // The objects whose keys begin with `prefix` and are greater than `after`, in the order of keys'
  // octets. A listing that has begun may or may not show what comes meanwhile.
  virtual void list(std::string_view prefix, std::string_view after,
                    const std::function<void(const StoredObject&)>& take) = 0;
  // What stands between `prefix`, which ends with a slash, and the next slash: "dt=2026-11-20".
  virtual std::vector<std::string> folders(std::string_view prefix) = 0;

  // Absent: nullopt.
  virtual std::optional<std::uint64_t> size(std::string_view key) = 0;
  virtual std::optional<std::string> read(std::string_view key) = 0;
  // So many octets from an offset of an object that is there; fewer is an error.
  virtual std::string read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) = 0;
  // The same for who reads an object bit by bit: throws once it was replaced, where the store can
  // tell. Absent: nullopt.
  virtual std::optional<ObjectVersion> version(std::string_view key);
  virtual std::string read_version(std::string_view key, const ObjectVersion& version,
                                   std::uint64_t offset, std::uint64_t bytes);
  // The version with the last octets, so many or all that there are: by one request where the store
  // can. Absent: nullopt.
  virtual std::optional<ObjectEnd> read_end(std::string_view key, std::uint64_t bytes);
  // Where an object lies as a file of this machine, for who reads files better than objects.
  // nullopt: it is none. There or not.
  virtual std::optional<std::filesystem::path> file_of(std::string_view key) const;

  // Throws RemoteError when this store does not keep what create() promises. create() asks by
  // itself, once; who is to run for long asks when it starts.
  virtual void prepare_creating() {}
  // Only if absent: of several at a time exactly one creates.
  virtual Creation create(std::string_view key, std::string_view content) = 0;
  // The same with a file's content; the file stays.
  virtual Creation create_from(std::string_view key, const std::filesystem::path& file) = 0;
  // Whether it is there or not; readers see the old content or the new one.
  virtual void replace(std::string_view key, std::string_view content) = 0;
  virtual void replace_from(std::string_view key, const std::filesystem::path& file) = 0;
  // Absent: nothing happens.
  virtual void remove(std::string_view key) = 0;

  // What dead writers left, which is no object and takes room: how many files; the second one
  // removes them. None where the store itself sees to that.
  virtual std::uint64_t count_leftovers() { return 0; }
  virtual std::uint64_t remove_leftovers() { return 0; }
};

// For who finds that an object is not the version any more that it reads.
StorageError replaced_while_read(const ObjectStore& store, std::string_view key);

}  // namespace segue::warehouse
