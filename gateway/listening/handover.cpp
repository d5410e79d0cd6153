#include "gateway/listening/handover.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "exchange/ensure.hpp"

namespace segue::gateway {
namespace {

namespace fs = std::filesystem;
using Say = HandoverMessage::Say;

// How long the process that serves waits for the other one: to ask, and to be ready then.
constexpr std::chrono::seconds kAsksWithin{10};
constexpr std::chrono::seconds kReadyWithin{60};
// How long the process that takes over waits for an answer.
constexpr std::chrono::seconds kAnswersWithin{15};
// Before the next try to accept one, in ms.
constexpr int kAcceptPause = 100;

constexpr mode_t kMode = 0600;
constexpr int kBacklog = 4;

HandoverChannel::Moment in(std::chrono::seconds time) {
  return std::chrono::steady_clock::now() + time;
}

void tell(const OwnedDescriptor& event) {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event.get(), &one, sizeof one);
  static_cast<void>(written);  // it cannot be full: it is written once
}

void forget_told(const OwnedDescriptor& event) {
  std::uint64_t times = 0;
  const ssize_t got = ::read(event.get(), &times, sizeof times);
  static_cast<void>(got);
}

OwnedDescriptor any_descriptor() {
  return OwnedDescriptor(::eventfd(0, EFD_CLOEXEC));
}

HandoverMessage saying(Say say) {
  HandoverMessage message;
  message.say = say;
  return message;
}

HandoverMessage refusing(std::string why) {
  HandoverMessage message;
  message.say = Say::refuse;
  message.text = std::move(why);
  return message;
}

bool is_end(const Error& error) {
  const int why = error.code.value();
  return why == ECONNRESET || why == EPIPE || why == ENOTCONN;
}

StartupError cannot_take_over(pid_t process, const std::string& why) {
  return StartupError(fmt::format("cannot take over from process {}: {}; it serves on. Try again, or "
                                  "stop it and start without --take-over",
                                  process, why));
}

}  // namespace

HandoverPath::HandoverPath(const fs::path& folder)
    : folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

fs::path HandoverPath::file() const {
  return fmt::format("/proc/self/fd/{}/handover.sock", folder_.get());
}

HandoverServer::HandoverServer(const fs::path& folder, const ListeningSockets& sockets)
    : sockets_(sockets),
      path_(folder),
      socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      done_(eventfd(0, EFD_CLOEXEC)),
      spare_(any_descriptor()) {
  auto file = listen_on_file(socket_.get(), path_.file(), kMode, kBacklog);
  if (!file) {
    trouble_ = fmt::format("no process can take over from this one: {}: {}",
                           (folder / "handover.sock").string(), file.error().code.message());
    return;
  }
  file_ = std::move(*file);
  resume();
}

HandoverServer::~HandoverServer() {
  pause();
}

void HandoverServer::pause() {
  if (!thread_.joinable()) return;
  tell(stop_);
  thread_.join();
  forget_told(stop_);
}

void HandoverServer::resume() {
  if (thread_.joinable() || !file_.is_ours() || successor_) return;
  thread_ = std::thread([this] { serve(); });
  pthread_setname_np(thread_.native_handle(), "handover");
}

std::optional<pid_t> HandoverServer::successor() const {
  return successor_ ? std::optional(successor_->peer()) : std::nullopt;
}

pid_t HandoverServer::finish() {
  pause();
  file_.remove();
  socket_.close();
  ensure(successor_.has_value(), "a hand-over ends with a successor");
  return successor_->peer();
}

void HandoverServer::say_left() {
  // It serves, whether it hears of this or not.
  static_cast<void>(successor_->send(saying(Say::left)));
}

void HandoverServer::serve() {
  while (asker_ || wait_for_asker()) {
    const Given given = give(*asker_);
    if (given == Given::not_yet) return;
    std::optional<HandoverChannel> asked = std::exchange(asker_, std::nullopt);
    if (given == Given::nothing) continue;
    successor_ = std::move(asked);
    return tell(done_);
  }
}

// False: it is to stop.
bool HandoverServer::wait_for_asker() {
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{stop_.get(), POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
    if (poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return false;
    if (wanted[0].revents != 0) return false;
    if (wanted[1].revents == 0) continue;
    OwnedDescriptor peer = accept_asker();
    if (peer.get() >= 0) {
      asker_.emplace(std::move(peer));
      return true;
    }
    // It stays queued and readable: without a pause this would be tried without end.
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
      poll(wanted.data(), 1, kAcceptPause);
  }
}

OwnedDescriptor HandoverServer::accept_asker() {
  if (spare_.get() < 0) spare_ = any_descriptor();
  for (;;) {
    OwnedDescriptor peer(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (peer.get() >= 0 || (errno != EMFILE && errno != ENFILE) || spare_.get() < 0) return peer;
    spare_.close();
  }
}

// `sockets`: the other process has them, and serves, or will when this one has been told to end.
HandoverServer::Given HandoverServer::give(HandoverChannel& to) const {
  const auto refuse = [&to](const char* why) {
    static_cast<void>(to.send(refusing(why)));  // it may be gone already
    return Given::nothing;
  };
  const auto is_told_to_stop = [](const auto& received) {
    return !received && received.error().code.value() == ECANCELED;
  };
  if (!to.is_trusted()) return refuse("this process belongs to another user");
  const auto asked = to.receive(in(kAsksWithin), stop_.get());
  if (is_told_to_stop(asked)) return Given::not_yet;
  if (!asked || asked->message.say != Say::ask) return refuse("it does not ask for sockets");
  if (!give_sockets(to)) return refuse("the sockets cannot be passed");
  auto ready = to.receive(in(kReadyWithin), stop_.get());
  if (is_told_to_stop(ready)) {
    ready = to.receive(in(std::chrono::seconds(0)));
    if (!ready && ready.error().code.value() == ETIMEDOUT) return Given::sockets;
  }
  if (ready && ready->message.say == Say::ready) return Given::sockets;
  return refuse("the new process was not ready in time");
}

Result<void> HandoverServer::give_sockets(HandoverChannel& to) const {
  for (const ListeningSockets::Set& set : sockets_.all()) {
    std::vector<int> descriptors;
    for (const OwnedDescriptor& socket : set.sockets) descriptors.push_back(socket.get());
    std::span<const int> rest(descriptors);
    while (!rest.empty()) {
      const auto some = rest.first(std::min<std::size_t>(rest.size(), kMaxPassedSockets));
      rest = rest.subspan(some.size());
      HandoverMessage message = saying(Say::sockets);
      message.listener = set.settings->name;
      message.count = static_cast<std::uint32_t>(some.size());
      message.with_file = set.file.is_there();
      message.from_service_manager = set.maker == InheritedSocket::Maker::service_manager;
      if (auto sent = to.send(message, some); !sent) return sent;
    }
  }
  return to.send(saying(Say::all));
}

std::optional<Predecessor> Predecessor::find(const fs::path& folder) {
  const HandoverPath path(folder);
  const auto address = unix_address(path.file());
  OwnedDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!address || ::connect(socket.get(), address->data(), UnixAddress::size()) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    throw StartupError(fmt::format("cannot ask the process that runs for its sockets: {}: {}; run "
                                   "as the same user, or without --take-over",
                                   (folder / "handover.sock").string(), std::strerror(errno)));
  }
  HandoverChannel channel(std::move(socket));
  if (!channel.is_trusted())
    throw StartupError(fmt::format("cannot take over from process {}: it belongs to another user, "
                                   "whose sockets root does not take either; run this as that "
                                   "user, or restart the service where a service manager runs it",
                                   channel.peer()));
  return Predecessor(std::move(channel));
}

std::vector<InheritedSocket> Predecessor::take_sockets() {
  const auto asked = channel_.send(saying(Say::ask));
  if (!asked && !is_end(asked.error())) throw cannot_take_over(process(), describe(asked.error()));
  return receive_sockets();
}

std::vector<InheritedSocket> Predecessor::receive_sockets() {
  std::vector<InheritedSocket> all;
  for (;;) {
    auto packet = channel_.receive(in(kAnswersWithin));
    if (!packet && is_end(packet.error())) return all;  // dead, so nobody else has them
    if (!packet) throw cannot_take_over(process(), describe(packet.error()));
    HandoverMessage& message = packet->message;
    if (message.say == Say::all) return all;
    if (message.say == Say::refuse) throw cannot_take_over(process(), message.text);
    if (message.say != Say::sockets) throw cannot_take_over(process(), "it says what it may not");
    for (OwnedDescriptor& socket : packet->sockets) {
      InheritedSocket& given = all.emplace_back();
      given.socket = std::move(socket);
      given.name = message.listener;
      if (message.from_service_manager) given.maker = InheritedSocket::Maker::service_manager;
      if (const auto address = address_of(given.socket.get()); message.with_file && address)
        given.file = SocketFileMark(address->path);
    }
  }
}

Predecessor::Relief Predecessor::say_ready() {
  // Whether that was heard, the answer tells.
  static_cast<void>(channel_.send(saying(Say::ready)));
  const auto answer = channel_.receive(in(kAnswersWithin));
  if (answer && answer->message.say == Say::left) return {};
  if (answer && answer->message.say == Say::refuse) return {true, answer->message.text};
  return {false, fmt::format("process {} did not say that it accepts no more ({})", process(),
                             answer ? "it said something else" : describe(answer.error()))};
}

}  // namespace segue::gateway
