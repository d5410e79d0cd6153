#include "runtime/buffer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace segue::runtime {
namespace {

std::size_t class_of(std::size_t bytes) {
  return static_cast<std::size_t>(std::bit_width((bytes - 1) / BufferPool::kSmallest));
}

}  // namespace

BufferPool::~BufferPool() {
  for (const auto& list : free_)
    for (char* memory : list) ::operator delete(memory);
}

std::span<char> BufferPool::take(std::size_t bytes) {
  bytes = std::max(bytes, kSmallest);
  const std::size_t size_class = class_of(bytes);
  const std::size_t size = kSmallest << size_class;
  if (size_class < kClasses && !free_[size_class].empty()) {
    char* memory = free_[size_class].back();
    free_[size_class].pop_back();
    return {memory, size};
  }
  return {static_cast<char*>(::operator new(size)), size};
}

void BufferPool::give(std::span<char> memory) noexcept {
  const std::size_t size_class = class_of(memory.size());
  if (size_class >= kClasses || (free_[size_class].size() + 1) * memory.size() > kKept)
    return ::operator delete(memory.data());
  free_[size_class].push_back(memory.data());
}

Buffer::Moved Buffer::reserve(std::size_t total) {
  if (begin_ + total <= memory_.size()) return Moved::no;
  if (total <= memory_.size()) {
    std::memmove(memory_.data(), memory_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    return Moved::yes;
  }
  move_to(pool_->take(total));
  return Moved::yes;
}

void Buffer::consume(std::size_t bytes) noexcept {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::release() noexcept {
  if (!memory_.empty()) pool_->give(std::exchange(memory_, {}));
  begin_ = end_ = 0;
}

void Buffer::shrink() {
  if (size() == 0) return release();
  if (class_of(std::max<std::size_t>(size(), 1)) < class_of(memory_.size()))
    move_to(pool_->take(size()));
}

void Buffer::move_to(std::span<char> memory) noexcept {
  const std::size_t kept = size();
  if (kept != 0) std::memcpy(memory.data(), memory_.data() + begin_, kept);
  if (!memory_.empty()) pool_->give(memory_);
  memory_ = memory;
  begin_ = 0;
  end_ = kept;
}

}  // namespace segue::runtime
