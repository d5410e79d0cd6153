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

constexpr mode_t kMode = 0600;
constexpr int kBacklog = 4;

HandoverChannel::Moment in(std::chrono::seconds time) {
  return std::chrono::steady_clock::now() + time;
}

void tell(const SocketDescriptor& event) {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event.get(), &one, sizeof one);
  static_cast<void>(written);  // it cannot be full: it is written once
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
      done_(eventfd(0, EFD_CLOEXEC)) {
  auto file = listen_on_file(socket_.get(), path_.file(), kMode, kBacklog);
  if (!file) {
    trouble_ = fmt::format("no process can take over from this one: {}: {}",
                           (folder / "handover.sock").string(), file.error().code.message());
    return;
  }
  file_ = std::move(*file);
  thread_ = std::thread([this] { serve(); });
  pthread_setname_np(thread_.native_handle(), "handover");
}

HandoverServer::~HandoverServer() {
  tell(stop_);
  if (thread_.joinable()) thread_.join();
}

pid_t HandoverServer::finish() {
  thread_.join();
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
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{socket_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    if (poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[1].revents != 0) return;
    SocketDescriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (peer.get() < 0) continue;
    HandoverChannel channel(std::move(peer));
    if (!give(channel)) continue;
    successor_.emplace(std::move(channel));
    return tell(done_);
  }
}

// True: the other process has the sockets and serves.
bool HandoverServer::give(HandoverChannel& to) const {
  const auto refuse = [&to](const char* why) {
    static_cast<void>(to.send(refusing(why)));  // it may be gone already
    return false;
  };
  if (!to.is_trusted()) return refuse("this process belongs to another user");
  const auto asked = to.receive(in(kAsksWithin), stop_.get());
  if (!asked || asked->message.say != Say::ask) return refuse("it does not ask for sockets");
  if (!give_sockets(to)) return refuse("the sockets cannot be passed");
  const auto ready = to.receive(in(kReadyWithin), stop_.get());
  if (ready && ready->message.say == Say::ready) return true;
  return refuse("the new process was not ready in time");
}

Result<void> HandoverServer::give_sockets(HandoverChannel& to) const {
  for (const ListeningSockets::Set& set : sockets_.all()) {
    std::vector<int> descriptors;
    for (const SocketDescriptor& socket : set.sockets) descriptors.push_back(socket.get());
    std::span<const int> rest(descriptors);
    while (!rest.empty()) {
      const auto some = rest.first(std::min<std::size_t>(rest.size(), kMaxPassedSockets));
      rest = rest.subspan(some.size());
      HandoverMessage message = saying(Say::sockets);
      message.listener = set.settings->name;
      message.count = static_cast<std::uint32_t>(some.size());
      message.with_file = set.file.is_ours();
      if (auto sent = to.send(message, some); !sent) return sent;
    }
  }
  return to.send(saying(Say::all));
}

std::optional<Predecessor> Predecessor::find(const fs::path& folder) {
  const HandoverPath path(folder);
  const auto address = unix_address(path.file());
  SocketDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
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
    for (SocketDescriptor& socket : packet->sockets) {
      InheritedSocket& given = all.emplace_back();
      given.socket = std::move(socket);
      given.name = message.listener;
      given.with_file = message.with_file;
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
