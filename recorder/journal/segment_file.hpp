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
// writes. Created ready: header written, no frame behind it. Immovable, for the signal handler that
// names a segment after a disk error knows its address. The keeper calls populate(),
// start_writeback() and drop() while a lane writes; everything else belongs to one thread at a
// time, the lane's or whoever prepares the segment.
class SegmentFile {
 public:
  // A new file; it appears under its name complete.
  static Result<std::unique_ptr<SegmentFile>> create(const Storage& storage,
                                                     const std::filesystem::path& path,
                                                     const SegmentHeader& header,
                                                     std::uint64_t bytes);
  // Gives the file `former` a new life as `path`, all zero behind the header. A failure leaves it
  // under its former name with the new header: a segment without frames.
  static Result<std::unique_ptr<SegmentFile>> recycle(const Storage& storage,
                                                      const std::filesystem::path& former,
                                                      const std::filesystem::path& path,
                                                      const SegmentHeader& header,
                                                      std::uint64_t bytes);
  // Between two lives: the map stays, the file is closed. populate() only, until renew().
  void rest() noexcept { file_.close(); }
  // Ends the rest with a new life as `path`, without zeroing: behind the header stands a zero
  // length word, and what follows it is no frame of this life, for its CRC started elsewhere. Only
  // when mapped. A failure leaves the file as recycle() does.
  Result<void> renew(const std::filesystem::path& path, const SegmentHeader& header);
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
