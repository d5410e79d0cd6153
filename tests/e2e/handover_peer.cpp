#include "tests/e2e/handover_peer.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path)
    throw TestFailure("too long for a socket: " + path.string());
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  return address;
}

Descriptor packet_socket() {
  return Descriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

void wait_until_readable(int descriptor) {
  const Deadline deadline;
  pollfd wanted{descriptor, POLLIN, 0};
  if (::poll(&wanted, 1, deadline.left()) != 1) throw TestFailure("nobody hands over");
}

}  // namespace

HandoverPeer::HandoverPeer(const std::filesystem::path& socket) : socket_(packet_socket()) {
  const auto address = address_of(socket);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail_with_errno("connect to " + socket.string());
}

void HandoverPeer::send(std::string_view text, const std::vector<int>& descriptors) {
  std::string bytes(text);
  iovec piece{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 8)> room{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t size = descriptors.size() * sizeof(int);
    header.msg_control = room.data();
    header.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(part), descriptors.data(), size);
  }
  ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
}

std::optional<HandoverPacketSeen> HandoverPeer::receive() {
  wait_until_readable(socket_.get());
  std::array<char, 8192> text;
  iovec piece{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 64)> room{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = room.data();
  header.msg_controllen = room.size();
  const auto got = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
  if (got <= 0) return std::nullopt;
  HandoverPacketSeen seen;
  seen.text.assign(text.data(), static_cast<std::size_t>(got));
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      seen.descriptors.emplace_back(descriptor);
    }
  }
  return seen;
}

HandoverGiver::HandoverGiver(const std::filesystem::path& socket) : listener_(packet_socket()) {
  const auto address = address_of(socket);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0)
    fail_with_errno("bind");
}

HandoverPeer HandoverGiver::accept() {
  wait_until_readable(listener_.get());
  HandoverPeer peer(Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  listener_.close();  // nobody else is to be asked
  peer.receive();
  return peer;
}

bool HandoverGiver::give(const Given& given, End end, const std::function<void()>& asked) {
  HandoverPeer peer = accept();
  asked();
  peer.send(fmt::format(R"({{"segue_handover":1,"say":"sockets","listener":"{}","count":1,)"
                        R"("with_file":false}})",
                        given.listener),
            {given.descriptor});
  peer.send(R"({"segue_handover":1,"say":"all"})");
  const bool ready = peer.receive().has_value();
  if (end == End::left) peer.send(R"({"segue_handover":1,"say":"left"})");
  return ready;
}

void HandoverGiver::refuse(std::string_view why) {
  accept().send(fmt::format(R"({{"segue_handover":1,"say":"refuse","text":"{}"}})", why));
}

void HandoverGiver::end_when_asked() {
  accept();
}

}  // namespace segue::test
