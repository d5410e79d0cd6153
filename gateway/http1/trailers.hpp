#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {

// Whether a field of that name (in any case) may stand in trailers that are passed on, where a list
// allows it. Never what frames, routes or authenticates a message, says what its content is, or
// means one connection alone (RFC 9110, 6.5.1): who merges trailers into the fields would act on
// it too late. Nor what the gateway or a proxy before it vouches for, in any spelling. False for
// what is no name.
bool may_be_trailer(std::string_view name) noexcept;

// Names of trailers that an operator lets pass, in any case.
using TrailerNames = std::vector<std::string>;

// Whether a trailer of that name passes: the list names it, it may be one, and the message's
// Connection fields do not nominate it (RFC 9110, 7.6.1).
bool passes_as_trailer(std::string_view name, const TrailerNames& allowed,
                       const MessageHead& head) noexcept;

// Whether the client keeps trailers apart when it gets some (RFC 9110, 10.1.4): `TE: trailers`.
// Without it, or in HTTP/1.0, it is sent none.
bool takes_trailers(const RequestHead& head) noexcept;

// The trailers of one body: gathered as they come, then those that pass are chosen. Reused; clear()
// keeps some memory.
class Trailers {
 public:
  void clear() noexcept;
  // Field lines that a ChunkDecoder found sound, in pieces.
  void add(std::string_view lines) { came_ += lines; }
  // The body is at its end.
  void choose(const TrailerNames& allowed, const MessageHead& head);
  // Those that pass, in their order, valid until clear(): one by one, and as they are sent.
  std::span<const Field> fields() const noexcept { return fields_; }
  std::string_view lines() const noexcept { return lines_; }

 private:
  std::string came_;
  std::string lines_;
  std::vector<Field> fields_;
};

}  // namespace segue::gateway::http1
