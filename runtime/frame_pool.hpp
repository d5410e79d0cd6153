#pragma once

#include <cstddef>

namespace segue::runtime {

// Memory for coroutine frames: per-thread free lists by size, so that a request costs no malloc
// once the thread is warm. A frame must be freed on the thread that made it. Frames above
// kLargest bytes, and every frame under a sanitizer (where recycling would hide a use after
// free), come from the heap.
class FramePool {
 public:
  static constexpr std::size_t kLargest = 8192;

  static void* allocate(std::size_t bytes);
  static void release(void* frame, std::size_t bytes) noexcept;
};

}  // namespace segue::runtime
