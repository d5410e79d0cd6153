#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {

enum class Received { bytes, end, reset };

// One connection, TCP or Unix, over which tests speak raw bytes, as a client or as a backend. Every wait has
// a deadline; one that passes fails the test. One thread at a time, but shut_down() from any.
class Socket {
 public:
  // Connects to 127.0.0.1. `receive_buffer` bytes, when not 0, makes a client that reads slowly
  // felt early.
  static Socket connect(std::uint16_t port, int receive_buffer = 0);
  // Connects to a Unix domain socket.
  static Socket connect(const std::filesystem::path& path);
  explicit Socket(Descriptor fd) : fd_(std::move(fd)) {}

  // Sends all of it; fails the test when the peer does not take it.
  void send(std::string_view bytes, const Deadline& deadline = Deadline{});
  // Sends what the peer takes until it closes; how many bytes that were.
  std::size_t send_what_is_taken(std::string_view bytes, const Deadline& deadline = Deadline{});
  // Adds at least one byte to `buffer`, or says how the connection ended.
  Received receive(std::string& buffer, const Deadline& deadline = Deadline{});
  // Whether bytes, an end or a reset are there right now.
  bool readable_now() const;
  void finish_sending() noexcept;  // half-close
  void reset() noexcept;           // close with RST
  void close() noexcept { fd_.close(); }
  void shut_down() noexcept;  // both ways, wakes a thread that waits in receive()
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  Descriptor fd_;
};

}  // namespace segue::test
