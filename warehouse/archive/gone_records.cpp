#include "warehouse/archive/gone_records.hpp"

#include <algorithm>

namespace segue::warehouse {
namespace {

class NoRecords : public RecordReader {
 public:
  std::optional<SourceRecord> next() override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<RecordReader> GoneRecords::read(const Chain&, std::uint64_t, std::uint64_t) {
  return std::make_unique<NoRecords>();
}

LeftOpen left_open(const Archive& archive, const Chain& chain, std::int64_t now_micros) {
  const std::vector<Claim> open = archive.tip(chain).open;
  const std::int64_t before =
      now_micros - std::chrono::duration_cast<std::chrono::microseconds>(kGivenUpAfter).count();
  const bool is_old =
      std::ranges::all_of(open, [&](const Claim& claim) { return claim.claimed_at < before; });
  return {open.size(), is_old};
}

}  // namespace segue::warehouse
