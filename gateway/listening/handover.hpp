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
  OwnedDescriptor folder_;
};

// In the process that serves: gives its sockets to a process of the same user, or of root, one at a
// time, on a thread of its own. As long as that one has not said that it serves nothing has
// happened. Used by the main thread; `sockets` change only while it is paused or finished.
//
// Who asks is given what is open, or hears the end of this process once it has nothing open any
// more: so close the sockets first, and destroy this then.
class HandoverServer {
 public:
  HandoverServer(const std::filesystem::path& folder, const ListeningSockets& sockets);
  HandoverServer(const HandoverServer&) = delete;
  HandoverServer& operator=(const HandoverServer&) = delete;
  ~HandoverServer();

  // Why no process can take over from this one, for a person; empty when one can.
  const std::string& trouble() const noexcept { return trouble_; }
  // Readable once there is a successor.
  int event() const noexcept { return done_.get(); }
  // Gives nothing until resume(). A process that has the sockets and is not ready yet is the
  // successor from here on; one that is about to ask is answered after resume().
  void pause();
  void resume();
  // After event() or pause(): the process that has the sockets.
  std::optional<pid_t> successor() const;

  // With a successor: nobody else can take over from this process any more. Its process id.
  pid_t finish();
  // After finish(): tells the successor that this process accepts no more.
  void say_left();

 private:
  enum class Given : std::uint8_t { nothing, not_yet, sockets };

  void serve();
  bool wait_for_asker();
  OwnedDescriptor accept_asker();
  Given give(HandoverChannel& to) const;
  Result<void> give_sockets(HandoverChannel& to) const;

  const ListeningSockets& sockets_;
  HandoverPath path_;
  std::string trouble_;
  OwnedDescriptor socket_;
  SocketFile file_;
  OwnedDescriptor stop_;  // eventfd: ends the thread
  OwnedDescriptor done_;  // eventfd
  // Given up for who takes over from a process that has no descriptor left.
  OwnedDescriptor spare_;
  std::optional<HandoverChannel> asker_;  // of the thread, while there is one
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
