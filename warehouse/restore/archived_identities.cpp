#include "warehouse/restore/archived_identities.hpp"

#include <algorithm>
#include <charconv>

#include "exchange/id.hpp"
#include "recorder/publisher/record.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {

bool ArchivedIdentities::has(std::uint64_t offset, std::string_view payload) {
  constexpr std::size_t kHashDigits = 64;
  if (offset >= next_) look_up(offset);
  const auto row = rows_.find(offset);
  if (row == rows_.end()) return false;
  if (row->second.size() == kHashDigits) return row->second == sha256_of(payload);
  const auto id = ExchangeId::from_bytes(recorder::read_fields(payload).id);
  return id && row->second == id->text();
}

void ArchivedIdentities::look_up(std::uint64_t offset) {
  rows_.clear();
  while (range_ < chain_.ranges.size() && chain_.ranges[range_].end < offset) ++range_;
  if (range_ == chain_.ranges.size()) {
    next_ = UINT64_MAX;
    return;
  }
  const ArchivedRange& range = chain_.ranges[range_];
  next_ = range.start;
  if (offset < range.start) return;
  const std::uint64_t last = std::min(range.end, offset + range.slice() - 1);
  next_ = last + 1;
  if (range.keys.empty()) return;
  open_files(engine_, range);
  engine_.ask("SELECT \"offset\"::VARCHAR, CASE WHEN kind IS NULL THEN sha256(record) ELSE id END "
              "FROM " + rows_of(range.chain, offset, last, {}),
              [&](const Engine::Row& row) {
                std::uint64_t at = 0;
                std::from_chars(row[0].data(), row[0].data() + row[0].size(), at);
                if (row[1].data() != nullptr) rows_.emplace(at, row[1]);
              });
}

}  // namespace segue::warehouse
