#include "gateway/listening/handover_message.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

// What another process says while it takes over: a message or none, and a message that is written
// again reads as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using segue::gateway::read_message;
  using segue::gateway::write_message;
  const auto message = read_message({reinterpret_cast<const char*>(data), size});
  if (!message) return 0;
  const auto again = read_message(write_message(*message));
  if (!again || again->say != message->say || again->listener != message->listener ||
      again->count != message->count || again->with_file != message->with_file ||
      again->from_service_manager != message->from_service_manager ||
      again->text != message->text)
    __builtin_trap();
  return 0;
}
