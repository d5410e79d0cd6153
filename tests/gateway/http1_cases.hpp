#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// One corpus, many runners: raw request heads, response heads and chunked bodies, and what becomes
// of them. The parser's tests read it whole, byte by byte and cut in two; end-to-end tests and the
// benchmark can send the same bytes through the whole gateway.
namespace segue::gateway::http1 {

struct RequestCase {
  std::string_view name;
  std::string_view raw;
  std::uint16_t status;     // of the refusal; 0: accepted
  std::string_view reason;  // label of the refusal; of an accepted head what it is read as:
                            // "METHOD target authority framing keep|close"
};

struct ResponseCase {
  std::string_view name;
  std::string_view raw;
  std::string_view method;  // of the request that it answers
  bool accepted;
  std::string_view reason;  // or what it is read as: "status framing keep|close"
};

struct ChunkCase {
  std::string_view name;
  std::string_view raw;      // a whole body, nothing after it
  std::string_view damage;   // empty: accepted
  std::string_view content;  // when accepted
};

std::span<const RequestCase> request_cases();
std::span<const ResponseCase> response_cases();
std::span<const ChunkCase> chunk_cases();

}  // namespace segue::gateway::http1
