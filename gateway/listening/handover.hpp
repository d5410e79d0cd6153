#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/listening/handover_channel.hpp"
#include "gateway/listening/listening_sockets.hpp"
#include "gateway/listening/unix_socket.hpp"

namespace segue::gateway {

// How one process takes over from another that serves with the same journal folder: over
// FOLDER/handover.sock (docs/restart.md has the way of it).

// The file, however long the path of the folder is: it is reached through a descriptor of that.
class HandoverPath {
 public:
  explicit HandoverPath(const std::filesystem::path& folder);
  std::filesystem::path file() const;

 private:
  SocketDescriptor folder_;
};

// In the process that serves: gives its sockets to a process of the same user, or of root, one at a
// time, on a thread of its own. As long as that one has not said that it serves nothing has
// happened. Made and destroyed by the main thread; `sockets` stay as they are until then.
class HandoverServer {
 public:
  HandoverServer(const std::filesystem::path& folder, const ListeningSockets& sockets);
  HandoverServer(const HandoverServer&) = delete;
  HandoverServer& operator=(const HandoverServer&) = delete;
  ~HandoverServer();

  // Why no process can take over from this one, for a person; empty when one can.
  const std::string& trouble() const noexcept { return trouble_; }
  // Readable once another process serves.
  int event() const noexcept { return done_.get(); }

  // After event(): nobody can take over from this process any more. The successor's process id.
  pid_t finish();
  // After finish(): tells the successor that this process accepts no more.
  void say_left();

 private:
  void serve();
  bool give(HandoverChannel& to) const;
  Result<void> give_sockets(HandoverChannel& to) const;

  const ListeningSockets& sockets_;
  HandoverPath path_;
  std::string trouble_;
  SocketDescriptor socket_;
  SocketFile file_;
  SocketDescriptor stop_;  // eventfd: ends the thread
  SocketDescriptor done_;  // eventfd
  std::optional<HandoverChannel> successor_;  // set before done_ is
  std::thread thread_;
};

// In the process that takes over: the one that serves now. One thread.
class Predecessor {
 public:
  // None: nobody serves with this journal folder. Throws StartupError when it may not be asked.
  static std::optional<Predecessor> find(const std::filesystem::path& folder);

  pid_t process() const noexcept { return channel_.peer(); }
  // Its listening sockets; those that came when it dies meanwhile. Throws StartupError when it
  // refuses or does not answer.
  std::vector<InheritedSocket> take_sockets();
  // Tells it that this process serves and waits until it accepts no more. `refused`: it has given up
  // on this process and serves on. `why` is for a person, and empty when all went as it should.
  struct Relief {
    bool refused = false;
    std::string why;
  };
  Relief say_ready();

 private:
  explicit Predecessor(HandoverChannel channel) : channel_(std::move(channel)) {}
  std::vector<InheritedSocket> receive_sockets();

  HandoverChannel channel_;
};

}  // namespace segue::gateway
