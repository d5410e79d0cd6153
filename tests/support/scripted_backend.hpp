#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_message.hpp"
#include "tests/support/socket.hpp"

namespace segue::test {

// An event that one thread announces and others wait for.
class Event {
 public:
  void set();
  void wait(const Deadline& deadline = Deadline{});

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class ScriptedBackend;

// One connection to a scripted backend, within its thread.
class BackendConnection {
 public:
  BackendConnection(ScriptedBackend& backend, Socket& socket)
      : backend_(backend), socket_(socket), reader_(socket) {}

  // The next request, put on the backend's record; nullopt at the end of the connection.
  std::optional<Message> request();
  // Only its head; the body is read by reader().body(). On record too.
  std::optional<Message> request_head();
  // Sends what the gateway takes: a gateway that closes is not the backend's failure.
  void send(std::string_view bytes) { socket_.send_what_is_taken(bytes); }
  // Ends the connection; the script should return then.
  void close() { socket_.shut_down(); }
  void reset() { reset_wanted_ = true; }
  bool reset_wanted() const { return reset_wanted_; }

  Socket& socket() { return socket_; }
  MessageReader& reader() { return reader_; }

 private:
  ScriptedBackend& backend_;
  Socket& socket_;
  MessageReader reader_;
  bool reset_wanted_ = false;
};

// A backend on a port of its own: real sockets, one thread a connection, which runs the script and
// closes when that returns. Keeps what it was sent. The script must not outlive what it refers to;
// the destructor shuts every connection down and joins.
class ScriptedBackend {
 public:
  using Script = std::function<void(BackendConnection&)>;

  explicit ScriptedBackend(Script script);
  // Listens on a socket that is bound already.
  ScriptedBackend(Script script, Descriptor bound);
  ~ScriptedBackend();
  ScriptedBackend(const ScriptedBackend&) = delete;
  ScriptedBackend& operator=(const ScriptedBackend&) = delete;

  std::uint16_t port() const { return port_; }  // 0: of a Unix socket
  // Every request so far, in the order of their heads.
  std::vector<Message> requests() const;
  std::size_t connections() const;
  // Waits until that many requests were seen.
  std::vector<Message> wait_for_requests(std::size_t count, const Deadline& deadline = Deadline{});

 private:
  friend class BackendConnection;
  struct Peer {
    Socket socket;
    std::thread thread;
  };
  void accept_all();
  void record(const Message& request);

  Script script_;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Peer> peers_;
  std::vector<Message> requests_;
  std::thread acceptor_;
};

// A socket that is bound to `address`, on this or any free port; nobody listens yet, so that who
// connects is refused.
Descriptor bound_socket(const std::string& address = "127.0.0.1", std::uint16_t port = 0);
// The same in the file system; the file is made.
Descriptor bound_socket(const std::filesystem::path& file);
std::uint16_t port_of(const Descriptor& bound);

// A port on which nobody listens.
std::uint16_t closed_port();

// A script that answers every request of a connection with the same bytes.
ScriptedBackend::Script answer_always(std::string response);

// "HTTP/1.1 STATUS X" with a Content-Length and this body.
std::string response_with(int status, std::string_view body, std::string_view more_fields = {});

}  // namespace segue::test
