#include "gateway/listening/handover_channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "exchange/ensure.hpp"

namespace segue::gateway {
namespace {

Error failed(int number, const char* doing) {
  return {{number, boost::system::system_category()}, Party::gateway, Retry::never, doing};
}

// Room for the sockets of one packet, aligned as the kernel wants it.
struct alignas(cmsghdr) PassedSockets {
  std::array<char, CMSG_SPACE(sizeof(int) * kMaxPassedSockets)> bytes{};
};

std::vector<OwnedDescriptor> sockets_in(msghdr& header) {
  std::vector<OwnedDescriptor> sockets;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      sockets.emplace_back(descriptor);
    }
  }
  return sockets;
}

std::optional<ucred> credentials_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

Result<void> wait_for(int socket, HandoverChannel::Moment deadline, int interrupt) {
  for (;;) {
    std::array<pollfd, 2> wanted{pollfd{socket, POLLIN, 0}, pollfd{interrupt, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int told = poll(wanted.data(), wanted.size(),
                          static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (told < 0 && errno == EINTR) continue;
    if (told < 0) return failed(errno, "waiting for the other process");
    if (told == 0) return failed(ETIMEDOUT, "waiting for the other process");
    if (wanted[1].revents != 0) return failed(ECANCELED, "waiting for the other process");
    return {};
  }
}

}  // namespace

Result<void> HandoverChannel::send(const HandoverMessage& message, std::span<const int> sockets) {
  ensure(sockets.size() <= kMaxPassedSockets, "a packet takes so many sockets");
  std::string text = write_message(message);
  iovec piece{text.data(), text.size()};
  PassedSockets room;
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (!sockets.empty()) {
    header.msg_control = room.bytes.data();
    header.msg_controllen = CMSG_SPACE(sockets.size_bytes());
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sockets.size_bytes());
    std::memcpy(CMSG_DATA(part), sockets.data(), sockets.size_bytes());
  }
  // A peer that takes nothing would hold this up: packets are few, and all of them have room.
  if (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
  return failed(errno, "telling the other process");
}

Result<HandoverPacket> HandoverChannel::receive(Moment deadline, int interrupt) {
  const auto ready = wait_for(socket_.get(), deadline, interrupt);
  if (!ready) return ready.error();
  std::array<char, kMaxHandoverPacket> text;
  iovec piece{text.data(), text.size()};
  PassedSockets room;
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = room.bytes.data();
  header.msg_controllen = room.bytes.size();
  const ssize_t got = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) return failed(errno, "listening to the other process");
  if (got == 0) return failed(ECONNRESET, "listening to the other process");
  HandoverPacket packet;
  packet.sockets = sockets_in(header);  // so that they are closed, whatever follows
  // The kernel passes as many sockets as there are descriptors left for.
  if ((header.msg_flags & MSG_CTRUNC) != 0) return failed(EMFILE, "taking the sockets");
  auto message = read_message({text.data(), static_cast<std::size_t>(got)});
  if ((header.msg_flags & MSG_TRUNC) != 0 || !message ||
      message->count != packet.sockets.size())
    return failed(EPROTO, "understanding the other process");
  packet.message = std::move(*message);
  return packet;
}

bool HandoverChannel::is_trusted() const noexcept {
  const auto other = credentials_of(socket_.get());
  return other && (other->uid == ::geteuid() || other->uid == 0);
}

pid_t HandoverChannel::peer() const noexcept {
  const auto other = credentials_of(socket_.get());
  return other ? other->pid : 0;
}

}  // namespace segue::gateway
