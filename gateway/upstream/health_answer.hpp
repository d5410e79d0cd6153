#pragma once

#include <cstdint>

#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/http1/head_parser.hpp"
#include "runtime/buffer.hpp"

namespace segue::gateway {

// What an endpoint answers to a check, read as it comes: of the final head the status, of the body
// only where it ends, or that it passes `most_body` bytes. One answer; no clock, no sockets.
class HealthAnswer {
 public:
  HealthAnswer(const http1::HeadLimits& limits, std::size_t most_body)
      : parser_(limits), most_body_(most_body) {}

  enum class State : std::uint8_t { more, done, damaged };
  // Uses up what came, but for a head that is not complete yet.
  State take(runtime::Buffer& in) noexcept;
  // The peer has ended.
  State end() const noexcept;
  // Of the final head; 0: it is not here yet.
  std::uint16_t status() const noexcept { return status_; }
  // Static text, as a reason label; null: nothing is damaged.
  const char* damage() const noexcept { return damage_; }

 private:
  static constexpr unsigned kMaxInterim = 32;  // 1xx responses before a final one

  State take_body(runtime::Buffer& in) noexcept;
  State damaged(const char* how) noexcept;

  http1::ResponseParser parser_;
  http1::ChunkDecoder chunks_;
  std::size_t most_body_;
  unsigned interim_ = 0;
  std::uint16_t status_ = 0;
  http1::Framing framing_ = http1::Framing::none;
  std::uint64_t left_ = 0;  // Framing::length
  std::uint64_t body_bytes_ = 0;
  const char* damage_ = nullptr;
};

}  // namespace segue::gateway
