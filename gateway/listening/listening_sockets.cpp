#include "gateway/listening/listening_sockets.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"

namespace segue::gateway {
namespace {

using Maker = InheritedSocket::Maker;
using Set = ListeningSockets::Set;

OwnedDescriptor duplicate(const OwnedDescriptor& socket) {
  OwnedDescriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (copy.get() >= 0) return copy;
  throw StartupError(fmt::format("cannot open a listening socket once more: {}; raise the limit of "
                                 "open files",
                                 std::strerror(errno)));
}

// Port 0 asks for any port: the one that a listener of this name has is as good as another.
bool is_any_port_of(const ListenerSettings& listener, const ListeningAddress& wanted,
                    const InheritedSocket& given, const ListeningAddress& has) {
  return wanted.family != AF_UNIX && wanted.family == has.family && wanted.tcp.port() == 0 &&
         wanted.tcp.address() == has.tcp.address() && given.name == listener.name;
}

bool is_for(const ListenerSettings& listener, const InheritedSocket& given) {
  if (given.maker == Maker::service_manager && given.name == listener.name) return true;
  const auto has = address_of(given.socket.get());
  if (!has) return false;
  const ListeningAddress wanted = address_of(listener);
  return *has == wanted || is_any_port_of(listener, wanted, given, *has);
}

StartupError not_wanted(const InheritedSocket& given) {
  const auto address = address_of(given.socket.get());
  const std::string what = address ? address->text() : "which is no listening stream socket";
  return StartupError(fmt::format(
      "the service manager passes a socket '{}', {}, that no listener wants; give it the name of a "
      "listener (FileDescriptorName=) or a listener its address",
      given.name, what));
}

// What the listener is given; who is named by a service manager comes before who fits by address.
void take_inherited(Set& set, std::vector<InheritedSocket>& inherited) {
  for (const Maker maker : {Maker::service_manager, Maker::process}) {
    for (InheritedSocket& given : inherited) {
      if (given.socket.get() < 0 || given.maker != maker || !is_for(*set.settings, given)) continue;
      auto address = address_of(given.socket.get());
      if (!address) throw not_wanted(given);
      if (set.sockets.empty()) set.address = std::move(*address);
      set.giver_s_file = given.file;
      make_fit_for_clients(given.socket.get());
      set.sockets.push_back(std::move(given.socket));
    }
    set.maker = maker;
    if (!set.sockets.empty()) return;
  }
}

void bind(Set& set, unsigned sockets) {
  if (!set.settings->socket_path.empty()) {
    UnixListening made = listen_on_file(*set.settings);
    set.address = address_of(*set.settings);
    set.sockets.push_back(std::move(made.socket));
    set.file = std::move(made.file);
    return;
  }
  set.address = choose_port(*set.settings);
  while (set.sockets.size() < sockets) {
    auto socket = bind_to(set.address);
    if (!socket) throw cannot_listen(*set.settings, socket.error().code.value());
    if (auto listens = start_listening(socket->get()); !listens)
      throw cannot_listen(*set.settings, listens.error().code.value());
    set.sockets.push_back(std::move(*socket));
  }
}

// Where another process gave sockets that share their port, the cores that are left get their own;
// where that cannot be they accept from those. Not beside a service manager's: that one keeps its
// own open when this process ends, and what is queued on others would be reset. So would be what
// came to them if this process could not serve after all: they do not listen yet.
void add_missing(Set& set, unsigned sockets) {
  if (set.address.family == AF_UNIX || set.maker != Maker::process) return;
  const bool share = std::ranges::all_of(
      set.sockets, [](const OwnedDescriptor& socket) { return shares_its_port(socket.get()); });
  while (share && set.sockets.size() < sockets) {
    auto socket = bind_to(set.address);
    if (!socket) return;
    set.sockets.push_back(std::move(*socket));
  }
}

}  // namespace

ListeningSockets::ListeningSockets(const std::vector<ListenerSettings>& listeners, unsigned cores,
                                   std::vector<InheritedSocket> inherited) {
  for (const ListenerSettings& listener : listeners) {
    Set& set = sets_.emplace_back();
    set.settings = &listener;
    take_inherited(set, inherited);
  }
  for (const InheritedSocket& given : inherited) {
    if (given.socket.get() < 0) continue;
    if (given.maker == Maker::service_manager) throw not_wanted(given);
    if (given.file.names_any()) unwanted_files_.push_back(given.file);
  }
  for (Set& set : sets_) {
    const unsigned wanted = set.settings->kind == ListenerKind::public_ ? cores : 1;
    if (set.sockets.empty())
      bind(set, wanted);
    else
      add_missing(set, wanted);
  }
}

const Set& ListeningSockets::of(const ListenerSettings& listener) const {
  const auto found = std::ranges::find(sets_, listener.name,
                                       [](const Set& set) { return set.settings->name; });
  ensure(found != sets_.end(), "each listener has its sockets");
  return *found;
}

std::vector<OwnedDescriptor> ListeningSockets::for_core(const Set& set, unsigned core,
                                                         unsigned cores) {
  std::vector<OwnedDescriptor> mine;
  const std::size_t count = set.sockets.size();
  for (std::size_t i = core; i < std::max<std::size_t>(count, cores); i += cores)
    mine.push_back(duplicate(set.sockets[i % count]));
  return mine;
}

std::vector<std::string> ListeningSockets::take_over() {
  std::vector<std::string> troubles;
  for (Set& set : sets_) {
    if (set.giver_s_file.names_any())
      set.file = SocketFile(std::exchange(set.giver_s_file, {}));
    std::erase_if(set.sockets, [&](const OwnedDescriptor& socket) {
      if (is_listening(socket.get())) return false;
      const auto listens = start_listening(socket.get());
      if (!listens) troubles.push_back(cannot_listen(*set.settings, listens.error().code.value()).what());
      return !listens;
    });
  }
  for (const SocketFileMark& mark : std::exchange(unwanted_files_, {})) SocketFile(mark).remove();
  return troubles;
}

void ListeningSockets::close(ListenerKind kind, Files files) noexcept {
  for (Set& set : sets_) {
    if (set.settings->kind != kind) continue;
    if (files == Files::left) set.file.leave();
    set.file.remove();
    set.sockets.clear();
  }
}

}  // namespace segue::gateway
