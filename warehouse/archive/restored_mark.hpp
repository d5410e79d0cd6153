#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/archive/layout.hpp"

namespace segue::warehouse {

// The header of a record that was put back from an archive; the archiver passes those of its own
// archive over, for it has them.
inline constexpr std::string_view kRestoredHeader = "segue-restored";

// Where a restored record was when it was archived.
struct RestoredMark {
  std::string archive;  // its id
  Chain chain;
  std::uint64_t offset = 0;

  bool operator==(const RestoredMark&) const = default;
};

// ARCHIVE/TOPIC/PARTITION/OFFSET. What is in a chain of records of Kafka holds no slash.
std::string text_of(const RestoredMark& mark);
std::optional<RestoredMark> parse_restored_mark(std::string_view text);

}  // namespace segue::warehouse
