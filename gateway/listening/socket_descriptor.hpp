#pragma once

#include <unistd.h>

#include <utility>

namespace segue::gateway {

// The descriptor of a socket, closed when this goes.
class SocketDescriptor {
 public:
  SocketDescriptor() = default;
  explicit SocketDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  SocketDescriptor(SocketDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  SocketDescriptor& operator=(SocketDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~SocketDescriptor() { close(); }

  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  void close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_ = -1;  // -1: none
};

}  // namespace segue::gateway
