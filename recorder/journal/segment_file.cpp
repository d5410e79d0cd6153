#include "recorder/journal/segment_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "recorder/journal/bus_error.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older kernels answer EINVAL and pages fault in
#endif

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPageBytes = 4096;

std::span<const char> bytes_of(const SegmentHeader& header) noexcept {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

// Removes a file that did not become a segment.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void keep() noexcept { path_.clear(); }

 private:
  fs::path path_;
};

}  // namespace

SegmentFile::SegmentFile(const Storage& storage, fs::path path, FileHandle file,
                         std::uint64_t size)
    : storage_(storage), path_(std::move(path)), file_(std::move(file)), size_(size) {}

SegmentFile::~SegmentFile() {
  if (data_ == nullptr) return;
  if (mapped_) forget_mapping(data_);
  ::munmap(data_, size_);
}

Result<void> SegmentFile::map() {
  mapped_ = storage_.maps(path_.parent_path());
  const int flags = mapped_ ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const at =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, flags, mapped_ ? file_.get() : -1, 0);
  if (at == MAP_FAILED) return storage_error(errno, "mapping a journal segment");
  data_ = static_cast<char*>(at);
  if (mapped_) remember_mapping(data_, size_, path_.c_str());
  return {};
}

Result<std::unique_ptr<SegmentFile>> SegmentFile::create(const Storage& storage,
                                                         const fs::path& path,
                                                         const SegmentHeader& header,
                                                         std::uint64_t bytes) {
  const fs::path making = path.parent_path() / (".new-" + path.filename().string());
  FileHandle file(::open(making.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "making a journal segment");
  Unfinished unfinished(making);
  if (const int error = storage.allocate(file.get(), bytes))
    return storage_error(error, "reserving space for a journal segment");
  if (const int error = storage.write(file.get(), bytes_of(header), 0))
    return storage_error(error, "writing the header of a journal segment");
  std::unique_ptr<SegmentFile> segment(new SegmentFile(storage, path, std::move(file), bytes));
  if (auto mapped = segment->map(); !mapped) return mapped.error();
  if (::rename(making.c_str(), path.c_str()) != 0)
    return storage_error(errno, "naming a journal segment");
  unfinished.keep();
  return segment;
}

Result<std::unique_ptr<SegmentFile>> SegmentFile::recycle(const Storage& storage,
                                                          const fs::path& former,
                                                          const fs::path& path,
                                                          const SegmentHeader& header,
                                                          std::uint64_t bytes) {
  FileHandle file(::open(former.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return storage_error(errno, "opening a journal segment to recycle it");
  // The header first: from here on nobody takes what follows for frames of the former life.
  if (const int error = storage.write(file.get(), bytes_of(header), 0))
    return storage_error(error, "writing the header of a journal segment");
  if (const int error = storage.zero(file.get(), sizeof header, bytes - sizeof header))
    return storage_error(error, "zeroing a journal segment");
  std::unique_ptr<SegmentFile> segment(new SegmentFile(storage, path, std::move(file), bytes));
  if (auto mapped = segment->map(); !mapped) return mapped.error();
  if (::rename(former.c_str(), path.c_str()) != 0)
    return storage_error(errno, "naming a journal segment");
  return segment;
}

Result<void> SegmentFile::renew(const fs::path& path, const SegmentHeader& header) {
  file_ = FileHandle(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!file_) return storage_error(errno, "opening a journal segment to recycle it");
  // One write within one disk sector: nobody meets the new header with the old first frame.
  std::array<char, sizeof header + kEndMarkBytes> beginning{};
  std::memcpy(beginning.data(), &header, sizeof header);
  if (const int error = storage_.write(file_.get(), beginning, 0))
    return storage_error(error, "writing the header of a journal segment");
  if (::rename(path_.c_str(), path.c_str()) != 0)
    return storage_error(errno, "naming a journal segment");
  forget_mapping(data_);
  path_ = path;
  remember_mapping(data_, size_, path_.c_str());
  return {};
}

Result<void> SegmentFile::flush(std::uint64_t until) {
  if (mapped_ || until <= flushed_) return {};
  // The end mark goes along, for a reader must not run into what an older write left behind.
  const std::uint64_t bytes = until + kEndMarkBytes - flushed_;
  if (const int error = storage_.write(file_.get(), {data_ + flushed_, bytes}, flushed_))
    return storage_error(error, "writing a journal segment");
  flushed_ = until;
  return {};
}

Result<void> SegmentFile::read(std::uint64_t offset, std::span<char> into) const {
  while (!into.empty()) {
    const ssize_t done =
        ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return storage_error(done < 0 ? errno : EIO, "reading a journal segment");
    into = into.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

void SegmentFile::populate(std::uint64_t from, std::uint64_t until) noexcept {
  if (!mapped_ || from >= until) return;
  const std::uint64_t start = from / kPageBytes * kPageBytes;
  // A failure leaves the pages to fault in one by one.
  ::madvise(data_ + start, until - start, MADV_POPULATE_WRITE);
}

void SegmentFile::start_writeback(std::uint64_t from, std::uint64_t until) noexcept {
  if (from >= until) return;
  ::sync_file_range(file_.get(), static_cast<off_t>(from), static_cast<off_t>(until - from),
                    SYNC_FILE_RANGE_WRITE);
}

void SegmentFile::drop(std::uint64_t from, std::uint64_t until) noexcept {
  if (!mapped_) return;
  from = (from + kPageBytes - 1) / kPageBytes * kPageBytes;
  until = until / kPageBytes * kPageBytes;
  if (from >= until) return;
  const auto offset = static_cast<off_t>(from);
  const auto bytes = static_cast<off_t>(until - from);
  ::sync_file_range(file_.get(), offset, bytes,
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                        SYNC_FILE_RANGE_WAIT_AFTER);
  // The map must let go of the pages before the page cache can.
  ::madvise(data_ + from, until - from, MADV_DONTNEED);
  ::posix_fadvise(file_.get(), offset, bytes, POSIX_FADV_DONTNEED);
}

}  // namespace segue::recorder
