#include "runtime/frame_pool.hpp"

#include <array>
#include <new>

namespace segue::runtime {
namespace {

constexpr std::size_t kStep = 64;  // bytes between two size classes

struct FreeFrame {
  FreeFrame* next;
};

// Freed frames of one thread; given back to the heap when the thread ends.
class FreeLists {
 public:
  ~FreeLists() {
    for (FreeFrame* head : heads_)
      while (head != nullptr) {
        FreeFrame* next = head->next;
        ::operator delete(head);
        head = next;
      }
  }
  FreeFrame*& of(std::size_t bytes) { return heads_[(bytes - 1) / kStep]; }

 private:
  std::array<FreeFrame*, FramePool::kLargest / kStep> heads_{};
};

thread_local FreeLists lists;

#ifdef SEGUE_SANITIZED
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

}  // namespace

void* FramePool::allocate(std::size_t bytes) {
  if (!kRecycle || bytes > kLargest) return ::operator new(bytes);
  FreeFrame*& head = lists.of(bytes);
  if (head == nullptr) return ::operator new((bytes + kStep - 1) / kStep * kStep);
  FreeFrame* frame = head;
  head = frame->next;
  return frame;
}

void FramePool::release(void* frame, std::size_t bytes) noexcept {
  if (!kRecycle || bytes > kLargest) return ::operator delete(frame);
  FreeFrame*& head = lists.of(bytes);
  head = new (frame) FreeFrame{head};
}

}  // namespace segue::runtime
