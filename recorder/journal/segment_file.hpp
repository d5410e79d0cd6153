#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "exchange/error.hpp"
#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/format.hpp"
#include "recorder/journal/storage.hpp"

namespace segue::recorder {

// One segment on disk that a lane can write: memory of the whole file. On file systems that
// reserve space for a map the memory is the file; elsewhere it is private memory that flush()
// writes. Created ready: header written, all else zero. Immovable, for the signal handler that
// names a segment after a disk error knows its address. The keeper calls populate() and
// write_behind() while a lane writes; everything else belongs to the lane's thread.
class SegmentFile {
 public:
  // A new file; it appears under its name complete.
  static Result<std::unique_ptr<SegmentFile>> create(const Storage& storage,
                                                     const std::filesystem::path& path,
                                                     const SegmentHeader& header,
                                                     std::uint64_t bytes);
  // Gives the file `former` a new life as `path`. A failure leaves it under its former name with
  // the new header: a segment without frames.
  static Result<std::unique_ptr<SegmentFile>> recycle(const Storage& storage,
                                                      const std::filesystem::path& former,
                                                      const std::filesystem::path& path,
                                                      const SegmentHeader& header,
                                                      std::uint64_t bytes);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  char* data() noexcept { return data_; }
  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  bool mapped() const noexcept { return mapped_; }

  // Makes everything before `until` visible to readers and safe from the process's end. Nothing
  // to do when mapped.
  Result<void> flush(std::uint64_t until);
  // What the file holds, through a read and not the map: a disk error is an error here.
  Result<void> read(std::uint64_t offset, std::span<char> into) const;

  // Makes the pages of a range present, so that stores do not fault.
  void populate(std::uint64_t from, std::uint64_t until) noexcept;
  void start_writeback(std::uint64_t from, std::uint64_t until) noexcept;
  // Waits for the range's writeback and gives its pages back.
  void drop(std::uint64_t from, std::uint64_t until) noexcept;

 private:
  SegmentFile(const Storage& storage, std::filesystem::path path, FileHandle file,
              std::uint64_t size);
  Result<void> map();

  const Storage& storage_;
  std::filesystem::path path_;
  FileHandle file_;
  std::uint64_t size_;
  char* data_ = nullptr;
  bool mapped_ = false;
  std::uint64_t flushed_ = sizeof(SegmentHeader);
};

}  // namespace segue::recorder
