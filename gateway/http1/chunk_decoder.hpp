#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace segue::gateway::http1 {

// Strict decoder of the chunked coding (RFC 9112, 7.1), without copying: each step says which part
// of the input is content, and which is trailers. Extensions are checked and dropped, 8 KiB a body at
// most; trailers are checked, `trailer_bytes` at most.
//
// A chunk line is hex digits, at most 16 of them and below 2^63, then extensions without blanks:
// *( ";" token [ "=" ( token / quoted-string ) ] ). Lines end in CRLF. No allocation, no clock; one
// decoder serves a connection, reset() between bodies.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t { more, done, damaged };

  struct Step {
    std::size_t consumed = 0;   // bytes of the input that are used up
    std::string_view content;   // part of the input; may be empty
    std::string_view trailer;   // part of the input: of field lines, "Name: value\r\n" each
    State state = State::more;  // done: `consumed` ends after the last CRLF of the body
  };

  explicit ChunkDecoder(std::size_t trailer_bytes = 32 << 10) : trailer_limit_(trailer_bytes) {}

  // Takes input up to the end of the next run of content. Call again with the rest as long as
  // `consumed` is not 0 and the state is `more`. With `damaged`, damage() says what (a reason
  // label), and every further step says so again; after `done` nothing more is consumed.
  Step step(std::string_view input) noexcept;
  const char* damage() const noexcept { return damage_; }
  // How many trailer fields came so far.
  std::uint32_t trailers() const noexcept { return trailers_; }
  void reset() noexcept;

 private:
  static constexpr std::size_t kExtensionBytes = 8 << 10;  // of one body
  static constexpr std::uint8_t kSizeDigits = 16;

  // What the next byte is part of.
  enum class Part : std::uint8_t {
    size,
    size_lf,
    extension_name,
    extension_value,
    token_value,
    quoted_value,
    quoted_escape,
    after_quoted,
    content,
    content_cr,
    content_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    damaged,
  };

  bool in_trailers() const noexcept {
    return part_ >= Part::trailer_start && part_ <= Part::trailer_lf;
  }
  void take(char c) noexcept;
  void take_size(char c) noexcept;
  void take_extension(char c) noexcept;
  void take_trailer(char c) noexcept;
  void end_line(char c) noexcept;
  void expect(char c, char wanted, Part next, const char* damage) noexcept;
  void damaged(const char* why) noexcept;

  std::size_t trailer_limit_;
  const char* damage_ = "";
  Part part_ = Part::size;
  std::uint8_t digits_ = 0;      // of this chunk's size
  bool token_empty_ = true;      // no byte of the extension's or trailer's token came yet
  std::uint64_t remaining_ = 0;  // size of this chunk, less the content given out
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::uint32_t trailers_ = 0;
};

}  // namespace segue::gateway::http1
