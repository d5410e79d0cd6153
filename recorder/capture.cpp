#include "recorder/capture.hpp"

#include <algorithm>
#include <utility>

namespace segue::recorder {
namespace {

constexpr std::size_t kSmallBlocks = CapturePool::kSmallBodyBytes / CapturePool::kBlockBytes;

}  // namespace

CapturePool::CapturePool(std::size_t budget_bytes)
    : budget_blocks_(std::max(budget_bytes / kBlockBytes, kSmallBlocks)),
      large_budget_blocks_(budget_blocks_ / 2) {}

CapturePool::~CapturePool() = default;

CapturePool::Block CapturePool::take(BodyCapture& asking) {
  const auto is_large = [&asking] { return asking.blocks_.size() >= kSmallBlocks; };
  const auto fits = [&] {
    // A capture that grows large brings its first blocks along.
    const std::size_t brought =
        asking.blocks_.size() == kSmallBlocks ? kSmallBlocks + 1 : std::size_t{1};
    return used_blocks_ < budget_blocks_ &&
           (!is_large() || large_blocks_ + brought <= large_budget_blocks_);
  };
  if (!fits()) {
    BodyCapture* const victim = largest();
    ++cut_captures_;
    if (victim == nullptr || victim->blocks_.size() <= asking.blocks_.size()) return nullptr;
    victim->cut("capture_memory");
    if (!fits()) return nullptr;
  }
  Block block = free_block();
  if (asking.blocks_.size() == kSmallBlocks) enter_large(asking);
  if (is_large()) ++large_blocks_;
  ++used_blocks_;
  return block;
}

CapturePool::Block CapturePool::free_block() {
  if (free_.empty()) {
    // Room for the block's return, so that give() never allocates.
    if (free_.capacity() <= used_blocks_) free_.reserve(2 * used_blocks_ + 16);
    return std::make_unique_for_overwrite<char[]>(kBlockBytes);
  }
  Block block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void CapturePool::give(Block block) noexcept {
  --used_blocks_;
  free_.push_back(std::move(block));
}

void CapturePool::enter_large(BodyCapture& capture) {
  large_.push_back(&capture);
  large_blocks_ += capture.blocks_.size();
}

void CapturePool::leave_large(BodyCapture& capture) noexcept {
  std::erase(large_, &capture);
}

BodyCapture* CapturePool::largest() noexcept {
  const auto found = std::ranges::max_element(
      large_, {}, [](const BodyCapture* capture) { return capture->blocks_.size(); });
  return found == large_.end() ? nullptr : *found;
}

void BodyCapture::start(std::uint64_t max_bytes, BodyDigest digest) {
  reset();
  if (digest == BodyDigest::sha256) start_digest();
  max_bytes_ = max_bytes;
  capture_ = Capture::complete;
}

void BodyCapture::start_digest() {
  if (sha256_ == nullptr) sha256_ = std::make_unique<runtime::Sha256>();
  sha256_->restart();
  running_ = sha256_.get();
}

void BodyCapture::start_skipping(std::string_view reason) {
  reset();
  capture_ = Capture::skipped;
  reason_ = reason;
}

void BodyCapture::reset() noexcept {
  shrink_to(0);
  borrowed_ = {};
  size_ = 0;
  max_bytes_ = 0;
  capture_ = Capture::absent;
  reason_ = {};
  running_ = nullptr;
  digest_ = {};
}

// What holds of every byte, captured or not.
void BodyCapture::count(std::string_view bytes) {
  size_ += bytes.size();
  if (running_ != nullptr) running_->add(bytes);
}

void BodyCapture::add(std::string_view bytes) {
  keep();
  count(bytes);
  copy(bytes);
}

void BodyCapture::borrow(std::string_view bytes) {
  keep();
  count(bytes);
  if (capture_ == Capture::complete) borrowed_ = bytes;
}

void BodyCapture::keep() {
  const std::string_view bytes = std::exchange(borrowed_, {});
  if (!bytes.empty()) copy(bytes);
}

void BodyCapture::end() {
  if (runtime::Sha256* const running = std::exchange(running_, nullptr)) digest_ = running->end();
}

std::size_t BodyCapture::held_bytes() const noexcept {
  return blocks_.empty() ? 0 : (blocks_.size() - 1) * CapturePool::kBlockBytes + last_used_;
}

void BodyCapture::copy(std::string_view bytes) {
  if (capture_ != Capture::complete) return;
  const std::uint64_t room = max_bytes_ - held_bytes();
  const bool over = bytes.size() > room;
  if (over) bytes = bytes.substr(0, room);
  while (!bytes.empty()) {
    if (blocks_.empty() || last_used_ == CapturePool::kBlockBytes) {
      CapturePool::Block block = pool_.take(*this);
      if (block == nullptr) return cut("capture_memory");
      blocks_.push_back(std::move(block));
      last_used_ = 0;
    }
    const std::size_t taken =
        bytes.copy(blocks_.back().get() + last_used_, CapturePool::kBlockBytes - last_used_);
    last_used_ += taken;
    bytes.remove_prefix(taken);
  }
  if (over) {
    capture_ = Capture::truncated;
    reason_ = "bodies.max";
  }
}

// Ends here and gives back what is more than a small body.
void BodyCapture::cut(std::string_view reason) noexcept {
  borrowed_ = {};
  capture_ = Capture::truncated;
  reason_ = reason;
  shrink_to(kSmallBlocks);
}

void BodyCapture::shrink_to(std::size_t blocks) noexcept {
  if (blocks_.size() <= blocks) return;
  if (blocks_.size() > kSmallBlocks) {
    pool_.large_blocks_ -= blocks_.size();
    pool_.leave_large(*this);
  }
  while (blocks_.size() > blocks) {
    pool_.give(std::move(blocks_.back()));
    blocks_.pop_back();
  }
  last_used_ = CapturePool::kBlockBytes;
}

BodyView BodyCapture::view() {
  views_.clear();
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool last = i + 1 == blocks_.size();
    views_.emplace_back(blocks_[i].get(), last ? last_used_ : CapturePool::kBlockBytes);
  }
  Capture capture = capture_;
  std::string_view reason = reason_;
  if (!borrowed_.empty()) {
    const std::string_view piece = borrowed_.substr(0, max_bytes_ - held_bytes());
    if (!piece.empty()) views_.push_back(piece);
    if (piece.size() < borrowed_.size()) {
      capture = Capture::truncated;
      reason = "bodies.max";
    }
  }
  return {.blocks = views_,
          .size = size_,
          .capture = capture,
          .reason = reason,
          .sha256 = digest_};
}

}  // namespace segue::recorder
