#include "gateway/listening/handover.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "gateway/listening/listening_sockets.hpp"

namespace segue::gateway {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "segue-handover-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

ListenerSettings on_tcp(std::string name) {
  ListenerSettings settings;
  settings.name = std::move(name);
  settings.host = "127.0.0.1";
  return settings;
}

ListenerSettings on_file(std::string name, const fs::path& path) {
  ListenerSettings settings;
  settings.name = std::move(name);
  settings.socket_path = path.string();
  return settings;
}

OwnedDescriptor connected_to(const ListeningSockets::Set& set) {
  OwnedDescriptor socket(::socket(set.address.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (set.address.family == AF_UNIX) {
    const auto address = unix_address(set.address.path);
    REQUIRE(address.has_value());
    REQUIRE(::connect(socket.get(), address->data(), UnixAddress::size()) == 0);
  } else {
    REQUIRE(::connect(socket.get(), set.address.tcp.data(),
                      static_cast<socklen_t>(set.address.tcp.size())) == 0);
  }
  return socket;
}

// How many connections wait on these sockets; they are accepted.
int queued_on(const ListeningSockets::Set& set) {
  int count = 0;
  for (const OwnedDescriptor& socket : set.sockets)
    for (OwnedDescriptor peer(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
         peer.get() >= 0;
         peer = OwnedDescriptor(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)))
      ++count;
  return count;
}

void wait_for(int event) {
  pollfd wanted{event, POLLIN, 0};
  REQUIRE(::poll(&wanted, 1, 60'000) == 1);
}

// Both sides of a take-over in one process, up to the moment when the old side has left.
ListeningSockets taken_over(const Folder& folder, ListeningSockets& old,
                            const std::vector<ListenerSettings>& listeners, unsigned cores) {
  HandoverServer server(folder.path(), old);
  REQUIRE(server.trouble().empty());
  auto predecessor = Predecessor::find(folder.path());
  REQUIRE(predecessor);
  CHECK(predecessor->process() == ::getpid());
  auto inherited = predecessor->take_sockets();
  auto ready = std::async(std::launch::async, [&] { return predecessor->say_ready(); });
  wait_for(server.event());
  CHECK(server.finish() == ::getpid());
  CHECK_FALSE(fs::exists(folder.path() / "handover.sock"));
  old.close(ListenerKind::public_, ListeningSockets::Files::left);
  server.say_left();
  const auto relief = ready.get();
  CHECK_FALSE(relief.refused);
  CHECK(relief.why.empty());
  return ListeningSockets(listeners, cores, std::move(inherited));
}

TEST_CASE("what is queued when a process leaves waits for the one that takes over") {
  const Folder folder;
  const std::vector listeners{on_tcp("public"), on_file("local", folder.path() / "s")};
  ListeningSockets old(listeners, 2, {});
  std::vector<OwnedDescriptor> clients;
  for (int i = 0; i < 50; ++i)
    for (const auto& set : old.all()) clients.push_back(connected_to(set));
  ListeningSockets next = taken_over(folder, old, listeners, 2);
  CHECK(next.take_over().empty());
  for (const auto& set : next.all()) CHECK(queued_on(set) == 50);
  CHECK(fs::exists(folder.path() / "s"));
  next.close(ListenerKind::public_, ListeningSockets::Files::removed);
  CHECK_FALSE(fs::exists(folder.path() / "s"));
}

TEST_CASE("more cores than sockets open more, fewer have several each") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  ListeningSockets one(listeners, 1, {});
  const auto address = one.all()[0].address;
  ListeningSockets three = taken_over(folder, one, listeners, 3);
  CHECK(three.all()[0].sockets.size() == 3);
  CHECK(three.all()[0].address == address);
  CHECK(three.take_over().empty());
  ListeningSockets two = taken_over(folder, three, listeners, 2);
  CHECK(two.all()[0].sockets.size() == 3);
  CHECK(ListeningSockets::for_core(two.all()[0], 0, 2).size() == 2);
  CHECK(ListeningSockets::for_core(two.all()[0], 1, 2).size() == 1);
  std::vector<OwnedDescriptor> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(connected_to(two.all()[0]));
  CHECK(queued_on(two.all()[0]) == 50);
}

TEST_CASE("sockets beside those of another process listen once that has left them") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  ListeningSockets one(listeners, 1, {});
  ListeningSockets three = taken_over(folder, one, listeners, 3);
  const auto& sockets = three.all()[0].sockets;
  const auto listening = [&] {
    return std::ranges::count_if(sockets, [](const auto& s) { return is_listening(s.get()); });
  };
  CHECK(sockets.size() == 3);
  CHECK(listening() == 1);
  CHECK(three.take_over().empty());
  CHECK(sockets.size() == 3);
  CHECK(listening() == 3);
}

TEST_CASE("the file of a Unix socket that no listener wants any more goes with the take-over") {
  const Folder folder;
  const fs::path file = folder.path() / "s";
  const std::vector both{on_tcp("public"), on_file("local", file)};
  ListeningSockets old(both, 1, {});
  const std::vector left{on_tcp("public")};
  ListeningSockets next = taken_over(folder, old, left, 1);
  CHECK(fs::exists(file));
  CHECK(next.take_over().empty());
  CHECK_FALSE(fs::exists(file));
}

TEST_CASE("a file that a stranger put in place of a Unix socket's stays in every take-over") {
  const Folder folder;
  const fs::path wanted = folder.path() / "wanted";
  const fs::path unwanted = folder.path() / "unwanted";
  const std::vector both{on_file("wanted", wanted), on_file("unwanted", unwanted)};
  ListeningSockets old(both, 1, {});
  // Before the sockets are given, and after that.
  fs::remove(wanted);
  const std::vector first{on_file("public", wanted)};
  const ListeningSockets of_stranger(first, 1, {});
  const std::vector one{on_file("wanted", wanted)};
  ListeningSockets next = taken_over(folder, old, one, 1);
  fs::remove(unwanted);
  const std::vector second{on_file("public", unwanted)};
  const ListeningSockets of_another(second, 1, {});
  CHECK(next.take_over().empty());
  next.close(ListenerKind::public_, ListeningSockets::Files::removed);
  CHECK(fs::exists(wanted));
  CHECK(fs::exists(unwanted));
}

TEST_CASE("a socket of a service manager remains its own through take-overs") {
  const Folder folder;
  std::vector<InheritedSocket> inherited(1);
  inherited[0].socket = OwnedDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(inherited[0].socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  REQUIRE(::listen(inherited[0].socket.get(), 1) == 0);
  inherited[0].name = "public";
  inherited[0].maker = InheritedSocket::Maker::service_manager;
  const std::vector listeners{on_tcp("public")};
  ListeningSockets first(listeners, 1, std::move(inherited));
  const auto address = first.all()[0].address;
  ListeningSockets second = taken_over(folder, first, listeners, 2);
  ListeningSockets third = taken_over(folder, second, listeners, 2);
  // By its name, for its address is another one; and no sockets beside it.
  CHECK(third.all()[0].address == address);
  CHECK(third.all()[0].sockets.size() == 1);
}

TEST_CASE("a Unix socket is one for all cores") {
  const Folder folder;
  const std::vector listeners{on_file("local", folder.path() / "s")};
  const ListeningSockets sockets(listeners, 4, {});
  CHECK(sockets.all()[0].sockets.size() == 1);
  for (unsigned core = 0; core < 4; ++core)
    CHECK(ListeningSockets::for_core(sockets.all()[0], core, 4).size() == 1);
}

TEST_CASE("who takes the sockets and goes changes nothing, and the next one is given them") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets old(listeners, 2, {});
  HandoverServer server(folder.path(), old);
  for (int i = 0; i < 3; ++i) {
    auto predecessor = Predecessor::find(folder.path());
    REQUIRE(predecessor);
    CHECK(predecessor->take_sockets().size() == 2);
  }
  pollfd event{server.event(), POLLIN, 0};
  CHECK(::poll(&event, 1, 0) == 0);
}

TEST_CASE("who has the sockets when the process is told to end is its successor, and not refused") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets old(listeners, 2, {});
  HandoverServer server(folder.path(), old);
  auto predecessor = Predecessor::find(folder.path());
  REQUIRE(predecessor);
  CHECK(predecessor->take_sockets().size() == 2);
  CHECK_FALSE(server.successor());
  server.pause();
  CHECK(server.successor() == ::getpid());
  CHECK(server.finish() == ::getpid());
  server.say_left();
  const auto relief = predecessor->say_ready();
  CHECK_FALSE(relief.refused);
  CHECK(relief.why.empty());
}

TEST_CASE("who is about to ask while nothing is given is answered after that") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets old(listeners, 2, {});
  HandoverServer server(folder.path(), old);
  server.pause();
  auto predecessor = Predecessor::find(folder.path());
  REQUIRE(predecessor);
  auto taken = std::async(std::launch::async, [&] { return predecessor->take_sockets(); });
  CHECK_FALSE(server.successor());
  server.resume();
  CHECK(taken.get().size() == 2);
}

TEST_CASE("a folder in which nobody serves has no predecessor, whatever a dead one left") {
  const Folder folder;
  CHECK_FALSE(Predecessor::find(folder.path()));
  CHECK_FALSE(Predecessor::find(folder.path() / "none"));
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets sockets(listeners, 1, {});
  { const HandoverServer server(folder.path(), sockets); }
  CHECK_FALSE(fs::exists(folder.path() / "handover.sock"));
  CHECK_FALSE(Predecessor::find(folder.path()));
}

TEST_CASE("the second process in a folder cannot be taken over from, and says so") {
  const Folder folder;
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets sockets(listeners, 1, {});
  const HandoverServer first(folder.path(), sockets);
  const HandoverServer second(folder.path(), sockets);
  CHECK(first.trouble().empty());
  CHECK(second.trouble().find("handover.sock") != std::string::npos);
}

TEST_CASE("the path of a folder may be longer than an address of a socket") {
  const Folder folder;
  const fs::path deep = folder.path() / std::string(120, 'd');
  fs::create_directory(deep);
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets sockets(listeners, 1, {});
  const HandoverServer server(deep, sockets);
  CHECK(server.trouble().empty());
  CHECK(fs::exists(deep / "handover.sock"));
  CHECK(Predecessor::find(deep));
}

TEST_CASE("a socket that blocks does not any more when it is inherited") {
  std::vector<InheritedSocket> inherited(1);
  inherited[0].socket = OwnedDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::listen(inherited[0].socket.get(), 1) == 0);
  inherited[0].name = "public";
  inherited[0].maker = InheritedSocket::Maker::service_manager;
  const std::vector listeners{on_tcp("public")};
  const ListeningSockets sockets(listeners, 1, std::move(inherited));
  CHECK(queued_on(sockets.all()[0]) == 0);
}

TEST_CASE("a socket of a service manager that no listener wants ends the start") {
  std::vector<InheritedSocket> inherited(1);
  inherited[0].socket = OwnedDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::listen(inherited[0].socket.get(), 1) == 0);
  inherited[0].name = "forgotten";
  inherited[0].maker = InheritedSocket::Maker::service_manager;
  const std::vector listeners{on_tcp("public")};
  CHECK_THROWS_AS(ListeningSockets(listeners, 1, std::move(inherited)), StartupError);
}

TEST_CASE("a lock that somebody holds on the folder of a Unix socket does not stop the start") {
  const Folder folder;
  const OwnedDescriptor stranger(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(::flock(stranger.get(), LOCK_EX) == 0);
  const std::vector<ListenerSettings> listeners{on_file("public", folder.path() / "public.sock")};
  const ListeningSockets sockets(listeners, 1, {});
  const OwnedDescriptor client = connected_to(sockets.all().front());
  CHECK(queued_on(sockets.all().front()) == 1);
}

}  // namespace
}  // namespace segue::gateway
