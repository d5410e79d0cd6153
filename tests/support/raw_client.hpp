#pragma once

#include "tests/support/http_message.hpp"
#include "tests/support/socket.hpp"

namespace segue::test {

// A client of raw bytes. One thread.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(Socket::connect(port, receive_buffer)), reader_(socket_) {}
  // Over a Unix domain socket.
  explicit RawClient(const std::filesystem::path& path)
      : socket_(Socket::connect(path)), reader_(socket_) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  Socket& socket() { return socket_; }
  MessageReader& reader() { return reader_; }
  void send(std::string_view bytes) { socket_.send(bytes); }

  // The next response; fails the test when none comes.
  Message response(std::string_view request_method = "GET");
  // Sends a request and reads its response.
  Message exchange(std::string_view request);
  // "GET target" on this connection, kept alive.
  Message get(std::string_view target, std::string_view more_fields = {});

 private:
  Socket socket_;
  MessageReader reader_;
};

}  // namespace segue::test
