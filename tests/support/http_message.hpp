#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/socket.hpp"

namespace segue::test {

// A message as a test reads it off the wire: lenient, independent of the code under test.
struct Message {
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string raw_head;                                     // with the empty line
  std::string body;                                         // decoded
  bool chunked = false;
  bool whole = false;  // the body came to the end that its framing says

  // The value of the first field of that name (lower case), or nullopt.
  std::optional<std::string> field(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  int status() const;          // of a response
  std::string method() const;  // of a request
  std::string target() const;
};

// Reads messages from a socket, one after the other; bytes beyond a message are kept for the next.
class MessageReader {
 public:
  explicit MessageReader(Socket& socket) : socket_(&socket) {}

  // The head of the next message, its body unread; nullopt when the peer ended or reset before the
  // head was whole.
  std::optional<Message> head(const Deadline& deadline = Deadline{});
  // The next request with its body; nullopt at the end.
  std::optional<Message> request(const Deadline& deadline = Deadline{});
  // The next response with its body (none for HEAD, 1xx, 204, 304); nullopt when no whole head
  // came. `whole` is false when the connection ended inside the body.
  std::optional<Message> response(std::string_view request_method = "GET",
                                  const Deadline& deadline = Deadline{});
  // The body that follows `message`, as its framing says.
  void body(Message& message, const Deadline& deadline = Deadline{});
  // At least `bytes` more of a body, or all until the end; the buffer is handed over.
  std::string some(std::size_t bytes, const Deadline& deadline = Deadline{});
  // How the connection ended; bytes that still came are in rest().
  Received wait_for_end(const Deadline& deadline = Deadline{});
  const std::string& rest() const { return buffer_; }

 private:
  bool fill(const Deadline& deadline) {
    return socket_->receive(buffer_, deadline) == Received::bytes;
  }
  bool take_line(std::string& line, const Deadline& deadline);
  bool take(std::size_t bytes, std::string& out, const Deadline& deadline);
  void chunked_body(Message& message, const Deadline& deadline);

  Socket* socket_;
  std::string buffer_;
};

}  // namespace segue::test
