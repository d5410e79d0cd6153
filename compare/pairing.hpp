#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "recorder/exchange.pb.h"

namespace segue::compare {

// A primary's exchange and the one that came of it: kind SHADOW, or CONTROL, which repeats the
// request against the same backend.
struct Pair {
  std::shared_ptr<const v1::Exchange> primary;
  v1::Exchange other;
};

// What waits at most, for the other half of a pair: of primaries, and of those that wait for
// theirs. Bytes are those of responses, headers with some overhead; one exchange may always wait.
struct PairingBounds {
  std::size_t exchanges = 65'536;
  std::size_t bytes = 128 << 20;
};

// Joins exchanges by parent_id, whichever of the two comes first, and keeps of what waits only what
// comparing needs. A primary waits for its shadow; when that has come, it waits for a control, which
// may come or not, within an eighth of the bounds (but 1,024 exchanges if that is more). Over the
// bounds what has waited longest goes. One thread.
class Pairing {
 public:
  explicit Pairing(const PairingBounds& bounds);
  ~Pairing();

  // Only primaries whose shadow was sent, shadows and controls; other exchanges are ignored. Takes
  // the exchange's content. Of a primary that comes last, several pairs may come.
  void add(v1::Exchange&& exchange);
  // The next pair that add() completed, oldest first.
  std::optional<Pair> next();

  std::uint64_t given_up() const noexcept;  // waited in vain until they had to go
  std::size_t waiting() const noexcept;     // not counting primaries that wait for a control alone
  // Shadows and controls whose primary is not there, and primaries whose shadow is not.
  struct Unpaired {
    std::uint64_t primaries = 0;
    std::uint64_t others = 0;
  };
  Unpaired unpaired() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::compare
