#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/format.hpp"

namespace segue::recorder {

// Bytes that are read by position; a segment file, or memory in tests and fuzzers.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // As many bytes as there are, at most into.size(); 0: past the end.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
  virtual Result<std::uint64_t> size() const = 0;
};

class FileSource final : public ByteSource {
 public:
  static Result<FileSource> open(const std::filesystem::path& path);
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;
  Result<std::uint64_t> size() const override;

 private:
  explicit FileSource(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const char> bytes) : bytes_(bytes) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;
  Result<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::span<const char> bytes_;
};

// Fails when the source is shorter or cannot be read; says nothing about what is in it.
Result<SegmentHeader> read_header(const ByteSource& source);

// Walks the frames of one segment, also while a lane writes it or recycles it. The source must
// outlive it. One thread. Allocates one buffer, never larger than the segment.
class SegmentScanner {
 public:
  enum class Outcome : std::uint8_t {
    frame,
    end,       // nothing more for now; ask again to follow
    damaged,   // what stands here is no frame of this segment; the scanner stays here
    replaced,  // the segment was recycled: what was not read is gone
    failed,    // the source cannot be read
  };
  struct Step {
    Outcome outcome;
    std::uint64_t offset;      // of the frame, or of what is no frame
    FrameHeader header{};      // of a frame
    std::string_view payload;  // of a frame; valid until the next call
    const char* what = "";     // for damaged and failed
  };

  SegmentScanner(const ByteSource& source, const SegmentHeader& header);

  Step next();
  std::uint64_t offset() const noexcept { return offset_; }

  // From a frame that is none: the first place after it where a frame with a lane_sequence above
  // `last` validates. Only for segments that nobody writes.
  Step resume_after(std::uint64_t last);

 private:
  // What stands at offset_, from the buffer; loads it when it is not there.
  Step look();
  Step verdict(Outcome outcome, const char* what = "") const;
  // Makes `bytes` from offset_ on available, as far as the source has them.
  Result<std::string_view> load(std::uint64_t bytes);
  void forget() noexcept { buffer_filled_ = 0; }

  const ByteSource& source_;
  const SegmentHeader header_;
  const std::uint32_t seed_;
  std::uint64_t offset_ = sizeof(SegmentHeader);
  std::uint64_t size_ = 0;
  std::vector<char> buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::size_t buffer_filled_ = 0;
  std::size_t chunk_bytes_;
  bool replaced_ = false;
  bool fresh_ = false;  // the buffer was read in this call of next()
};

}  // namespace segue::recorder
