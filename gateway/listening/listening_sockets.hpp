#pragma once

#include <string>
#include <vector>

#include "gateway/listening/listening_socket.hpp"

namespace segue::gateway {

// A listening socket that this process was given: by the process that it takes over from, or by
// the service manager that started it.
struct InheritedSocket {
  // Who made it. A service manager keeps its own open, whatever process they are passed on to.
  enum class Maker : std::uint8_t { process, service_manager };
  OwnedDescriptor socket;
  std::string name;  // of the listener, as the giver calls it; may be empty
  Maker maker = Maker::process;
  // Of a Unix socket whose file is the giver's to remove: ours, once we have taken over.
  SocketFileMark file;
};

// The sockets of all listeners, those that were inherited and those bound here. Holds every one of
// them open, so that another process can be given them; who accepts has duplicates. One thread.
class ListeningSockets {
 public:
  // One listener's.
  struct Set {
    const ListenerSettings* settings;
    ListeningAddress address;
    std::vector<OwnedDescriptor> sockets;
    SocketFile file;              // of a Unix socket, where it is ours to remove
    SocketFileMark giver_s_file;  // ... where it is that of the process we take over from
    InheritedSocket::Maker maker = InheritedSocket::Maker::process;
  };

  // A listener takes what is inherited by its name (from a service manager) or by its address;
  // where there is nothing it binds. A public listener has a socket a core, where the address can
  // have several; those beside inherited ones listen from take_over() on. Sockets of a process that
  // no listener wants are closed. Throws StartupError: an address in use, a socket of a service
  // manager that no listener wants. `listeners` must outlive it.
  ListeningSockets(const std::vector<ListenerSettings>& listeners, unsigned cores,
                   std::vector<InheritedSocket> inherited);
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  const std::vector<Set>& all() const noexcept { return sets_; }
  // Of the listener with these settings.
  const Set& of(const ListenerSettings& listener) const;
  // Duplicates for `core` of `cores` to accept from: one at least, several when there are more
  // sockets than cores; one that other cores accept from too when there are fewer.
  static std::vector<OwnedDescriptor> for_core(const Set& set, unsigned core, unsigned cores);

  // The process that gave the sockets has left them. The files of Unix sockets are ours now, and
  // gone where no listener wants the socket; what was bound beside inherited sockets listens. Lines
  // for a person of what does not.
  std::vector<std::string> take_over();
  // Lets go of the sockets of listeners of this kind; what duplicates still hold goes on. The files
  // of Unix sockets go with them, or stay because another process owns them now.
  enum class Files : std::uint8_t { removed, left };
  void close(ListenerKind kind, Files files) noexcept;

 private:
  std::vector<Set> sets_;
  std::vector<SocketFileMark> unwanted_files_;
};

// What systemd passes to a service with a socket unit (sd_listen_fds(3)): $LISTEN_PID, $LISTEN_FDS,
// $LISTEN_FDNAMES. Removes these variables. Throws StartupError when they make no sense.
std::vector<InheritedSocket> sockets_of_service_manager();

}  // namespace segue::gateway
