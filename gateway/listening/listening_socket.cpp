#include "gateway/listening/listening_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

#include "exchange/error.hpp"

namespace segue::gateway {
namespace {

using boost::asio::ip::address;
using tcp = boost::asio::ip::tcp;

constexpr int kBacklog = 4096;  // the kernel cuts it to somaxconn
// Who may connect to a Unix socket: the user and the group that the process runs as.
constexpr mode_t kSocketMode = 0660;
constexpr std::string_view kUnixPrefix = "unix:";

// Bytes that wait in a client's socket and are not under way yet (tcp(7)). Without a limit the kernel
// holds as much as tcp_wmem allows, 4 MiB of each client that stopped reading. What is under way does
// not count, so a client that is far away is sent as much at once as before.
constexpr int kUnsentBytes = 128 << 10;

void set_option(int descriptor, int level, int option, int value = 1) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

int option_of(int descriptor, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : 0;
}

Error cannot_bind() {
  return {{errno, boost::system::system_category()}, Party::gateway, Retry::never, "listening"};
}

enum class Sharing : std::uint8_t { alone, between_cores };

Result<OwnedDescriptor> open_bound(const tcp::endpoint& where, Sharing sharing) {
  OwnedDescriptor socket(
      ::socket(where.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return cannot_bind();
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (sharing == Sharing::between_cores) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT);
  make_fit_for_clients(socket.get());
  if (::bind(socket.get(), where.data(), static_cast<socklen_t>(where.size())) != 0)
    return cannot_bind();
  return socket;
}

// The path of a bound Unix socket; empty for one without a file.
std::string path_of(const sockaddr_un& address, socklen_t size) {
  constexpr socklen_t kStart = offsetof(sockaddr_un, sun_path);
  if (size <= kStart || address.sun_path[0] == '\0') return {};
  return std::string(address.sun_path, strnlen(address.sun_path, size - kStart));
}

}  // namespace

StartupError cannot_listen(const ListenerSettings& settings, int why) {
  const std::string where =
      settings.socket_path.empty() ? fmt::format("{}:{}", settings.host, settings.port)
                                   : fmt::format("{}{}", kUnixPrefix, settings.socket_path);
  std::string_view advice = "choose another address or stop what uses it";
  if (why == EADDRINUSE)
    advice =
        "choose another address, stop what uses it, or take over from the process that runs with "
        "--take-over: an address that is the same is taken over, one that overlaps (0.0.0.0 for "
        "127.0.0.1) is in use until that process ends";
  if (why == EMFILE || why == ENFILE)
    advice = "raise the limit of open files (ulimit -n, LimitNOFILE=)";
  if (why == EEXIST) advice = "there is a file that is no socket: choose another path or remove it";
  return StartupError(fmt::format("cannot listen on {} (listeners.{}.address): {}; {}", where,
                                  settings.name, std::strerror(why), advice));
}

std::string ListeningAddress::text() const {
  return family == AF_UNIX ? fmt::format("{}{}", kUnixPrefix, path) : address_text(tcp);
}

ListeningAddress address_of(const ListenerSettings& settings) {
  ListeningAddress wanted;
  if (!settings.socket_path.empty()) {
    wanted.family = AF_UNIX;
    wanted.path = settings.socket_path;
    return wanted;
  }
  boost::system::error_code ec;
  const address ip = boost::asio::ip::make_address(settings.host, ec);
  if (ec)
    throw StartupError(
        fmt::format("listeners.{}.address: '{}' is not an IP address; write one like 0.0.0.0:8080",
                    settings.name, settings.host));
  wanted.tcp = tcp::endpoint(ip, settings.port);
  wanted.family = wanted.tcp.data()->sa_family;
  return wanted;
}

std::optional<ListeningAddress> address_of(int socket) {
  if (!is_listening(socket) || option_of(socket, SO_TYPE) != SOCK_STREAM) return std::nullopt;
  sockaddr_storage bytes{};
  socklen_t size = sizeof bytes;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bytes), &size) != 0) return std::nullopt;
  ListeningAddress found;
  found.family = bytes.ss_family;
  if (bytes.ss_family == AF_UNIX) {
    found.path = path_of(reinterpret_cast<const sockaddr_un&>(bytes), size);
    return found.path.empty() ? std::nullopt : std::optional(found);
  }
  if (bytes.ss_family != AF_INET && bytes.ss_family != AF_INET6) return std::nullopt;
  if (size > found.tcp.capacity()) return std::nullopt;
  std::memcpy(found.tcp.data(), &bytes, size);
  found.tcp.resize(size);
  return found;
}

std::string address_text(const tcp::endpoint& peer) {
  const std::string ip = peer.address().to_string();
  return peer.address().is_v6() ? fmt::format("[{}]:{}", ip, peer.port())
                                : fmt::format("{}:{}", ip, peer.port());
}

ListeningAddress choose_port(const ListenerSettings& settings) {
  ListeningAddress where = address_of(settings);
  const auto alone = open_bound(where.tcp, Sharing::alone);
  if (!alone) throw cannot_listen(settings, alone.error().code.value());
  socklen_t size = static_cast<socklen_t>(where.tcp.capacity());
  getsockname(alone->get(), where.tcp.data(), &size);
  where.tcp.resize(size);
  return where;
}

Result<OwnedDescriptor> bind_to(const ListeningAddress& where) {
  return open_bound(where.tcp, Sharing::between_cores);
}

Result<void> start_listening(int socket) {
  if (::listen(socket, kBacklog) != 0) return cannot_bind();
  return {};
}

bool is_listening(int socket) {
  return option_of(socket, SO_ACCEPTCONN) != 0;
}

// What it accepts inherits the options of TCP; other sockets do not know them.
void make_fit_for_clients(int socket) {
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags >= 0) ::fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY);
  set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
}

bool shares_its_port(int socket) {
  return option_of(socket, SO_REUSEPORT) != 0;
}

UnixListening listen_on_file(const ListenerSettings& settings) {
  OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) throw cannot_listen(settings, errno);
  auto file = listen_on_file(socket.get(), settings.socket_path, kSocketMode, kBacklog);
  if (!file) throw cannot_listen(settings, file.error().code.value());
  return {std::move(socket), std::move(*file)};
}

}  // namespace segue::gateway
