#include "recorder/journal/segment_scanner.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "recorder/journal/crc32c.hpp"

namespace segue::recorder {
namespace {

// At the end of a live segment a look costs little; on the way through one it grows.
constexpr std::size_t kFirstChunk = 4 << 10;
constexpr std::size_t kLargestChunk = 256 << 10;
// resume_after() gives up when it has checked this many times the segment's size: bytes that look
// like frame headers at every step would cost the square of it.
constexpr std::uint64_t kResumeEffort = 8;

template <class Pod>
Pod pod_at(std::string_view bytes) noexcept {
  Pod pod;
  std::memcpy(&pod, bytes.data(), sizeof pod);
  return pod;
}

bool plausible(const FrameHeader& header) noexcept {
  const auto kind = static_cast<std::uint8_t>(header.kind);
  return kind >= 1 && kind <= 3 && (header.flags & ~kCarriedOver) == 0 && header.reserved == 0 &&
         header.reserved2 == 0 && header.lane_sequence != 0;
}

}  // namespace

Result<FileSource> FileSource::open(const std::filesystem::path& path) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return storage_error(errno, "opening a journal segment");
  return FileSource(std::move(file));
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<char> into) const {
  for (;;) {
    const ssize_t got =
        ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return storage_error(errno, "reading a journal segment");
  }
}

Result<std::uint64_t> FileSource::size() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return storage_error(errno, "reading a journal segment");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<char> into) const {
  if (offset >= bytes_.size()) return std::size_t{0};
  const std::size_t bytes = std::min<std::uint64_t>(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, bytes);
  return bytes;
}

Result<SegmentHeader> read_header(const ByteSource& source) {
  SegmentHeader header{};
  const auto got = source.read_at(0, {reinterpret_cast<char*>(&header), sizeof header});
  if (!got) return got.error();
  if (*got != sizeof header) return storage_error(ENODATA, "reading the header of a journal segment");
  return header;
}

SegmentScanner::SegmentScanner(const ByteSource& source, const SegmentHeader& header)
    : source_(source), header_(header), seed_(segment_seed(header)), chunk_bytes_(kFirstChunk) {}

SegmentScanner::Step SegmentScanner::next() {
  fresh_ = false;
  Step step = look();
  // What was read a while ago, or while a lane stored it, does not decide.
  if (!fresh_ && (step.outcome == Outcome::end || step.outcome == Outcome::damaged)) {
    forget();
    step = look();
  }
  if (step.outcome == Outcome::damaged) {
    forget();
    step = look();
  }
  if (step.outcome == Outcome::frame) {
    offset_ += frame_bytes(step.payload.size());
  } else {
    forget();
    chunk_bytes_ = kFirstChunk;
  }
  return step;
}

SegmentScanner::Step SegmentScanner::look() {
  auto bytes = load(sizeof(FrameHeader));
  if (!bytes) return verdict(Outcome::failed, bytes.error().doing);
  if (replaced_) return verdict(Outcome::replaced);
  if (bytes->size() < sizeof(std::uint32_t) || pod_at<std::uint32_t>(*bytes) == 0)
    return verdict(Outcome::end);
  if (bytes->size() < sizeof(FrameHeader))
    return verdict(Outcome::damaged, "the segment ends within a frame");
  const auto header = pod_at<FrameHeader>(*bytes);
  if (!plausible(header)) return verdict(Outcome::damaged, "no frame header");
  const std::uint64_t whole = sizeof(FrameHeader) + std::uint64_t{header.length};
  if (whole > size_ - offset_)
    return verdict(Outcome::damaged, "the frame is longer than its segment");
  bytes = load(whole);
  if (!bytes) return verdict(Outcome::failed, bytes.error().doing);
  if (replaced_) return verdict(Outcome::replaced);
  if (bytes->size() < whole)
    return verdict(Outcome::damaged, "the segment ends within a frame");
  const std::uint32_t crc = crc32c(frame_seed(seed_, header.length), bytes->data() + kCrcOffset,
                                   whole - kCrcOffset);
  // The header in front of the payload may be a later copy than the one looked at: both count.
  if (crc != header.crc || pod_at<std::uint32_t>(*bytes) != header.length)
    return verdict(Outcome::damaged, "crc differs");
  return {Outcome::frame, offset_, header, bytes->substr(sizeof(FrameHeader), header.length)};
}

SegmentScanner::Step SegmentScanner::verdict(Outcome outcome, const char* what) const {
  return {.outcome = outcome, .offset = offset_, .payload = {}, .what = what};
}

Result<std::string_view> SegmentScanner::load(std::uint64_t bytes) {
  const auto available = [&]() -> std::uint64_t {
    const std::uint64_t end = buffer_offset_ + buffer_filled_;
    return offset_ >= buffer_offset_ && offset_ < end ? end - offset_ : 0;
  };
  if (available() < bytes) {
    const auto size = source_.size();
    if (!size) return size.error();
    size_ = *size;
    const std::uint64_t left = offset_ < size_ ? size_ - offset_ : 0;
    const std::uint64_t wanted = std::min<std::uint64_t>(std::max<std::uint64_t>(bytes, chunk_bytes_), left);
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    buffer_offset_ = offset_;
    buffer_filled_ = 0;
    while (buffer_filled_ < wanted) {
      const auto got = source_.read_at(offset_ + buffer_filled_,
                                       {buffer_.data() + buffer_filled_, wanted - buffer_filled_});
      if (!got) return got.error();
      if (*got == 0) break;
      buffer_filled_ += *got;
    }
    chunk_bytes_ = std::min(chunk_bytes_ * 2, kLargestChunk);
    fresh_ = true;
    // After the copy: what was copied before the header changed was still of this life.
    const auto header = read_header(source_);
    if (!header) return header.error();
    replaced_ = std::memcmp(&*header, &header_, sizeof header_) != 0;
  }
  const std::uint64_t ready = std::min<std::uint64_t>(available(), bytes);
  return std::string_view(buffer_.data() + (ready == 0 ? 0 : offset_ - buffer_offset_), ready);
}

SegmentScanner::Step SegmentScanner::resume_after(std::uint64_t last) {
  std::uint64_t effort = 0;
  for (offset_ += 8; offset_ + sizeof(FrameHeader) <= size_; offset_ += 8) {
    const auto bytes = load(sizeof(FrameHeader));
    if (!bytes) return verdict(Outcome::failed, bytes.error().doing);
    if (replaced_) return verdict(Outcome::replaced);
    if (bytes->size() < sizeof(FrameHeader)) break;
    const auto header = pod_at<FrameHeader>(*bytes);
    if (header.length == 0 || !plausible(header) || header.lane_sequence <= last) continue;
    effort += header.length;
    if (effort > kResumeEffort * size_) break;
    const Step step = look();
    if (step.outcome == Outcome::frame) return step;
  }
  return verdict(Outcome::end);
}

}  // namespace segue::recorder
