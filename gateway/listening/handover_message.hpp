#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue::gateway {

// What two processes say to each other while one takes over from the other (docs/restart.md): one
// JSON object a packet, such as {"segue_handover":1,"say":"ready"}. Sockets travel with the packet
// that names them.
struct HandoverMessage {
  enum class Say : std::uint8_t {
    ask,      // the new process wants the sockets
    sockets,  // of one listener: those that come with this packet
    all,      // there are no more sockets
    ready,    // the new process serves
    left,     // the old process accepts no more
    refuse,   // ... and goes on as before; `text` says why
  };
  Say say = Say::ask;
  std::string listener;    // sockets: its name
  std::uint32_t count = 0; // sockets: how many come with the packet
  bool with_file = false;  // sockets: of a Unix socket whose file is to be removed at the end
  // sockets: made by a service manager, which keeps them open. Said only where it is so: a process
  // that knows nothing of it takes over from all others.
  bool from_service_manager = false;
  std::string text;        // refuse
};

inline constexpr std::size_t kMaxHandoverPacket = 4096;  // bytes
inline constexpr std::uint32_t kMaxPassedSockets = 250;  // in a packet; the kernel passes 253

std::string write_message(const HandoverMessage& message);
// None: of another version, or no message at all. Nothing that is unknown is passed over.
std::optional<HandoverMessage> read_message(std::string_view packet);

}  // namespace segue::gateway
