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

// Joins exchanges by parent_id, whichever of the two comes first. Bounded: over `most_waiting` the
// one that has waited longest goes, and is counted. One thread.
class Pairing {
 public:
  explicit Pairing(std::size_t most_waiting);
  ~Pairing();

  // What has no pair to come (a primary that was not shadowed) is not kept. Exchanges of other
  // kinds are ignored. Takes the exchange's content. At most one pair comes of one exchange: of a
  // primary that comes last, call again with nothing more until there is none.
  void add(v1::Exchange&& exchange);
  // The next pair that add() completed, oldest first.
  std::optional<Pair> next();

  std::uint64_t given_up() const noexcept;  // waited in vain until they had to go
  std::size_t waiting() const noexcept;
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
