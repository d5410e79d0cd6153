#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace segue::recorder {

// A record that was given to librdkafka and is not acknowledged yet: where it stands in the
// journal, and what it holds of the budget.
struct Flight {
  std::uint32_t run = 0;
  std::uint32_t lane = 0;
  std::uint64_t lane_sequence = 0;  // 0: this is none
  std::uint32_t bytes = 0;          // of key and value
  std::uint32_t topic = 0;
};

// The records in flight, within a budget: beyond it the publisher stops reading, and the journal
// keeps. Addresses stay while a flight lasts: librdkafka hands them back. One thread.
class Flights {
 public:
  // Room for all of them is made at once.
  Flights(std::size_t max_records, std::uint64_t max_bytes);

  // A record larger than the whole budget may still fly alone.
  bool has_room(std::size_t bytes) const noexcept;
  // Only while has_room(flight.bytes).
  Flight* take_off(const Flight& flight) noexcept;
  void land(Flight* flight) noexcept;
  // No flight will ever come back: calls lost(flight) for each, and has room again.
  template <class Lost>
  void clear(Lost lost) {
    for (Flight& slot : slots_) {
      if (slot.lane_sequence == 0) continue;
      lost(slot);
      land(&slot);
    }
  }

  std::size_t count() const noexcept { return slots_.size() - free_.size(); }
  std::uint64_t bytes() const noexcept { return bytes_; }
  bool empty() const noexcept { return count() == 0; }

 private:
  std::vector<Flight> slots_;
  std::vector<Flight*> free_;
  const std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace segue::recorder
