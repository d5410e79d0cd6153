#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http1/head_parser.hpp"
#include "gateway/http1/header_edits.hpp"
#include "gateway/http1/trailers.hpp"

namespace segue::gateway::http1 {

// One head ready to be sent: pieces of the received buffer and of memory of its own, in order.
// Valid as long as both stay where they are. Reused; clear() keeps the capacity, so that a warm
// Gather does not allocate.
class Gather {
 public:
  void clear() noexcept;
  // `text` must outlive the write. Short text is copied: a piece more costs writev more than that.
  void borrow(std::string_view text);
  // Copies `text` into memory of this object.
  void copy(std::string_view text);
  // The pieces, for writev; adjacent pieces are merged. Calling it ends the building.
  std::vector<iovec>& pieces();
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t kShortBytes = 192;

  struct Piece {
    const char* data;  // null: `offset` into own_
    std::size_t offset;
    std::size_t size;
  };
  std::vector<Piece> pieces_;
  std::string own_;
  std::vector<iovec> iovecs_;
  std::size_t bytes_ = 0;
};

enum class UnderscoreNames : std::uint8_t { drop, refuse, forward };

// What the gateway says of itself and of the client while forwarding a request.
struct ForwardSettings {
  std::string_view via{};             // pseudonym in Via: "segue"
  std::string_view client_address{};  // without the port, for Forwarded and X-Forwarded-For
  std::string_view scheme{};          // how the client reached us
  bool trusted_peer = false;          // Forwarded and X-Forwarded-* are appended to, not replaced
  UnderscoreNames underscore = UnderscoreNames::drop;
  bool websocket = false;       // our own Connection: Upgrade and Upgrade: websocket
  bool takes_trailers = false;  // our own TE: trailers; not with websocket
  const TrailerNames* trailers = nullptr;  // those that pass behind chunks; null: none
  const HeaderEdits* edits = nullptr;      // of the route, outlives the write; null: none
};

// Writes the head to send upstream: HTTP/1.1, `target` and `host` as given, end-to-end fields as
// they came and in their order, hop-by-hop and nominated fields left out, then what the route sets,
// Via, Forwarded and X-Forwarded-* ours. `framing` is what follows: length (the field as it came),
// chunked (our own Transfer-Encoding) or none. Returns how many fields with an underscore were
// dropped.
std::uint32_t write_request_head(const RequestHead& head, std::string_view target,
                                 std::string_view host, Framing framing,
                                 const ForwardSettings& settings, Gather& out);

struct ResponseForward {
  std::uint8_t client_version_minor = 1;
  std::string_view via{};
  Framing framing = Framing::none;  // towards the client: length, chunked, until_close or none
  bool close = false;               // say Connection: close
  std::string_view date{};          // now, for an answer that does not say it; empty: left so
  std::string_view exchange_id{};   // Segue-Exchange-Id, when not empty
  bool websocket = false;           // of a 101: our own Connection: Upgrade and Upgrade: websocket
  const TrailerNames* trailers = nullptr;  // those that pass behind chunks; null: none
  const HeaderEdits* edits = nullptr;      // of the route, outlives the write; null: none
  std::string_view scheme{};               // how the client reached us; with edits only
};

// Writes the head to send to the client: status line ours in HTTP/1.1, fields as they came less
// hop-by-hop and nominated ones, then, not on an interim one, what the route sets and Date where the
// backend had none. Content-Length stays for HEAD and 304, never on 204 or 1xx.
void write_response_head(const ResponseHead& head, const ResponseForward& forward, Gather& out);

}  // namespace segue::gateway::http1
