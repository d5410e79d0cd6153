#include "recorder/publisher/flight.hpp"

#include "exchange/ensure.hpp"

namespace segue::recorder {

Flights::Flights(std::size_t max_records, std::uint64_t max_bytes)
    : slots_(max_records), max_bytes_(max_bytes) {
  free_.reserve(slots_.size());
  for (Flight& slot : slots_) free_.push_back(&slot);
}

bool Flights::has_room(std::size_t bytes) const noexcept {
  return !free_.empty() && (empty() || bytes_ + bytes <= max_bytes_);
}

Flight* Flights::take_off(const Flight& flight) noexcept {
  ensure(!free_.empty(), "a flight without room");
  Flight* const slot = free_.back();
  free_.pop_back();
  *slot = flight;
  bytes_ += flight.bytes;
  return slot;
}

void Flights::land(Flight* flight) noexcept {
  bytes_ -= flight->bytes;
  *flight = {};
  free_.push_back(flight);
}

}  // namespace segue::recorder
