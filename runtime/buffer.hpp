#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace segue::runtime {

// Memory for read buffers of one core: free lists of powers of two, last in first out so that what
// is handed out is still warm. Used by one thread; outlives its buffers.
class BufferPool {
 public:
  static constexpr std::size_t kSmallest = 4096;
  static constexpr std::size_t kClasses = 9;     // 4 KiB to 1 MiB; larger ones are not kept
  static constexpr std::size_t kKept = 4 << 20;  // bytes kept free in each class at most

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // At least `bytes`; how many it is goes with the pointer.
  std::span<char> take(std::size_t bytes);
  void give(std::span<char> memory) noexcept;

 private:
  std::array<std::vector<char*>, kClasses> free_;
};

// Bytes that were received and are not used up yet. Holds no memory until the first reserve().
// Views into it are valid until reserve() moves it, consume() passes them or it is released.
class Buffer {
 public:
  explicit Buffer(BufferPool& pool) noexcept : pool_(&pool) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  std::string_view readable() const noexcept { return {memory_.data() + begin_, end_ - begin_}; }
  std::span<char> writable() const noexcept { return memory_.subspan(end_); }
  std::size_t size() const noexcept { return end_ - begin_; }
  std::size_t capacity() const noexcept { return memory_.size(); }

  // Room for `total` readable bytes in one piece, counted from the first readable one. Moves what
  // is readable when there is not enough room behind it; true when it moved.
  enum class Moved : bool { no, yes };
  Moved reserve(std::size_t total);
  void commit(std::size_t bytes) noexcept { end_ += bytes; }
  // Gives up the first bytes.
  void consume(std::size_t bytes) noexcept;
  // Gives up everything behind the first `bytes`, so that they can be received over.
  void truncate(std::size_t bytes) noexcept { end_ = begin_ + bytes; }
  // Gives the memory back, with what is in it.
  void release() noexcept;
  // Goes back to the smallest memory that holds what is readable.
  void shrink();

 private:
  void move_to(std::span<char> memory) noexcept;

  BufferPool* pool_;
  std::span<char> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace segue::runtime
