#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"
#include "recorder/settings.hpp"
#include "runtime/sha256.hpp"

namespace segue::recorder {

class BodyCapture;

// One core's memory for captured bodies, in blocks of kBlockBytes that are allocated on first use
// and kept. One thread; must outlive its captures.
//
// Over the budget the largest capture is cut back to kSmallBodyBytes and ends there, so that a few
// large uploads cannot blind the record; half of the budget is for captures up to
// kSmallBodyBytes alone. Where no capture is larger than that, the one that asks ends.
class CapturePool {
 public:
  static constexpr std::size_t kBlockBytes = 8 << 10;
  static constexpr std::size_t kSmallBodyBytes = 64 << 10;

  // `budget_bytes`: this core's share of recorder.capture_memory, at least one small body.
  explicit CapturePool(std::size_t budget_bytes);
  CapturePool(const CapturePool&) = delete;
  CapturePool& operator=(const CapturePool&) = delete;
  ~CapturePool();

  std::size_t used_bytes() const noexcept { return used_blocks_ * kBlockBytes; }
  std::uint64_t cut_captures() const noexcept { return cut_captures_; }

 private:
  friend class BodyCapture;
  using Block = std::unique_ptr<char[]>;

  // Null: the capture that asks must end (it may itself have been the largest, and cut).
  Block take(BodyCapture& asking);
  Block free_block();
  void give(Block block) noexcept;
  void enter_large(BodyCapture& capture);
  void leave_large(BodyCapture& capture) noexcept;
  BodyCapture* largest() noexcept;

  std::size_t budget_blocks_;
  std::size_t large_budget_blocks_;
  std::size_t used_blocks_ = 0;
  std::size_t large_blocks_ = 0;  // held by captures of more than kSmallBodyBytes
  std::uint64_t cut_captures_ = 0;
  std::vector<BodyCapture*> large_;
  std::vector<Block> free_;
};

// Captures one body as it streams, up to a limit, and counts its true size; makes its digest where
// that is asked for, of all that passes. One a direction, reused from exchange to exchange with
// start(). Never fails and never makes the relay wait: what does not fit is TRUNCATED with a
// reason. Same thread as its pool; neither copied nor moved.
class BodyCapture {
 public:
  explicit BodyCapture(CapturePool& pool) : pool_(pool) {}
  BodyCapture(const BodyCapture&) = delete;
  BodyCapture& operator=(const BodyCapture&) = delete;
  ~BodyCapture() { reset(); }

  // A body follows; up to `max_bytes` of it are kept.
  void start(std::uint64_t max_bytes, BodyDigest digest = BodyDigest::none);
  // A body follows, of which only the size counts. `reason` is static text: "settings".
  void start_skipping(std::string_view reason);
  // No body, no memory. Also the state before the first start().
  void reset() noexcept;

  // Copies.
  void add(std::string_view bytes);
  // Does not copy: `bytes` must stay where they are until keep(), reset() or the next start().
  // What was borrowed before is copied first, so a body in several reads may be borrowed each
  // time.
  void borrow(std::string_view bytes);
  // Copies what is borrowed: call before its memory changes.
  void keep();
  // The body is whole: only now has its view a digest. Nothing is added behind it.
  void end();

  std::uint64_t size() const noexcept { return size_; }
  // Valid until the next call of anything on this or another capture of the pool.
  BodyView view();

 private:
  friend class CapturePool;

  void start_digest();
  void count(std::string_view bytes);
  void copy(std::string_view bytes);
  void cut(std::string_view reason) noexcept;
  void shrink_to(std::size_t blocks) noexcept;
  std::size_t held_bytes() const noexcept;

  CapturePool& pool_;
  std::vector<CapturePool::Block> blocks_;
  std::vector<std::string_view> views_;
  std::size_t last_used_ = CapturePool::kBlockBytes;  // bytes in the last block
  std::string_view borrowed_;
  std::uint64_t size_ = 0;
  std::uint64_t max_bytes_ = 0;
  Capture capture_ = Capture::absent;
  std::string_view reason_;
  std::unique_ptr<runtime::Sha256> sha256_;  // made for the first body that needs it, and kept
  runtime::Sha256* running_ = nullptr;       // null: this body has none, or is at its end
  std::string_view digest_;
};

}  // namespace segue::recorder
