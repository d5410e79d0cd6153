#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "recorder/journal/journal.hpp"
#include "recorder/recorder.hpp"
#include "tests/recorder/sample_exchange.hpp"

namespace segue::test {

// 2025-11-21T09:00:00Z; pair n was made n milliseconds later.
inline constexpr std::int64_t kPairsBegin = 1'763'715'600'000'000;

// The ids of pair n: a UUIDv7 of its time.
ExchangeId primary_id(std::uint64_t n);
ExchangeId shadow_id(std::uint64_t n);
ExchangeId control_id(std::uint64_t n);

// What a backend answered.
struct Answer {
  std::string body{};
  std::uint16_t status = 200;
  std::string content_type = "application/json";
  std::int64_t first_byte = 1'200;  // microseconds
};

// A journal as a gateway with shadows writes it. Primary, shadow and control of pair n are recorded
// one by one; an exchange is changed, where the caller wants it, before it is recorded.
class ShadowedJournal {
 public:
  using Change = std::function<void(SampleExchange&)>;
  explicit ShadowedJournal(const std::filesystem::path& directory);

  void primary(std::uint64_t n, const Answer& answer, const Change& change = {});
  void shadow(std::uint64_t n, const Answer& answer, const Change& change = {});
  void control(std::uint64_t n, const Answer& answer, const Change& change = {});
  // Both sides of pair n.
  void pair(std::uint64_t n, const Answer& left, const Answer& right, const Change& change = {});

 private:
  void record(SampleExchange& sample, const Answer& answer, const Change& change);

  recorder::Journal journal_;
  recorder::Recorder recorder_;
};

}  // namespace segue::test
