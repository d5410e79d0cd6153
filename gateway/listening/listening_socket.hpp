#pragma once

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/error.hpp"
#include "runtime/owned_descriptor.hpp"
#include "gateway/listening/unix_socket.hpp"
#include "gateway/settings.hpp"

namespace segue::gateway {

using runtime::OwnedDescriptor;

// What a listening socket is bound to: an IP address and a port, or a file.
struct ListeningAddress {
  sa_family_t family = AF_UNSPEC;
  boost::asio::ip::tcp::endpoint tcp;
  std::string path;

  std::string text() const;  // "127.0.0.1:8080", "[::1]:8080", "unix:/run/segue.sock"
  friend bool operator==(const ListeningAddress&, const ListeningAddress&) = default;
};
// Of what a listener of the configuration asks for. Throws StartupError: no IP address.
ListeningAddress address_of(const ListenerSettings& settings);
// Of a socket that is there; none when it is not a listening stream socket of one of these kinds.
std::optional<ListeningAddress> address_of(int listening_socket);

// "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string address_text(const boost::asio::ip::tcp::endpoint& address);

// A port of 0 is chosen here. Throws StartupError when the port is taken: a port that any other
// process listens on counts as taken, also where that would share it (SO_REUSEPORT).
ListeningAddress choose_port(const ListenerSettings& settings);

// One more socket of the address. Once it listens the kernel shares out among all of them what comes
// (SO_REUSEPORT); until then nothing comes to it. Fails with EADDRINUSE where the others do not
// share it, or are another user's.
Result<OwnedDescriptor> bind_to(const ListeningAddress& where);
Result<void> start_listening(int socket);
bool is_listening(int socket);
// Whoever made the socket: accept() does not block, small answers leave at once, and the kernel takes
// little of an answer that its client does not take.
void make_fit_for_clients(int socket);
bool shares_its_port(int socket);

// What a person is told of a listener that cannot listen, for this reason (errno).
StartupError cannot_listen(const ListenerSettings& settings, int why);

// A Unix socket, whose file its owner and its group may connect to. Throws StartupError.
struct UnixListening {
  OwnedDescriptor socket;
  SocketFile file;
};
UnixListening listen_on_file(const ListenerSettings& settings);

}  // namespace segue::gateway
