#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "exchange/error.hpp"
#include "gateway/listening/handover_message.hpp"
#include "runtime/owned_descriptor.hpp"

namespace segue::gateway {

using runtime::OwnedDescriptor;

// A message and what came with it.
struct HandoverPacket {
  HandoverMessage message;
  std::vector<OwnedDescriptor> sockets;
};

// One connection between two processes, a packet at a time (SOCK_SEQPACKET). One thread; every wait
// ends: with ETIMEDOUT, with ECONNRESET when the other process is gone, with EPROTO when it says
// what is no message.
class HandoverChannel {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit HandoverChannel(OwnedDescriptor socket) : socket_(std::move(socket)) {}

  Result<void> send(const HandoverMessage& message, std::span<const int> sockets = {});
  // `interrupt`: a descriptor that ends the wait with ECANCELED when it is readable; -1: none.
  Result<HandoverPacket> receive(Moment deadline, int interrupt = -1);

  // Whether the other process runs as the user of this one, or as root.
  bool is_trusted() const noexcept;
  pid_t peer() const noexcept;  // 0: not known

 private:
  OwnedDescriptor socket_;
};

}  // namespace segue::gateway
