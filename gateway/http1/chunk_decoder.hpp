#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace segue::gateway::http1 {

// Strict decoder of the chunked coding (RFC 9112, 7.1), without copying: each step says which part
// of the input is content. Extensions are checked and dropped, 8 KiB a body at most; trailers are
// checked and dropped, `trailer_bytes` at most.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t { more, done, damaged };

  struct Step {
    std::size_t consumed = 0;   // bytes of the input that are used up
    std::string_view content;   // part of the input; may be empty
    State state = State::more;  // done: `consumed` ends after the last CRLF of the body
  };

  explicit ChunkDecoder(std::size_t trailer_bytes = 32 << 10) : trailer_limit_(trailer_bytes) {}

  // Takes input up to the end of the next run of content. Call again with the rest as long as
  // `consumed` is not 0 and the state is `more`. With `damaged`, damage() says what.
  Step step(std::string_view input) noexcept;
  const char* damage() const noexcept { return damage_; }
  void reset() noexcept;

 private:
  std::size_t trailer_limit_;
  const char* damage_ = "";
};

}  // namespace segue::gateway::http1
