#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

// How old an open claim must be to be taken for one whose writer will not come back.
inline constexpr std::chrono::minutes kGivenUpAfter{60};

// Chains of which no record is to be had any more, as the archiver reads them. What a writer that
// died left open there ends with the file that it had published, or else with one that has no rows:
// what is missing `verify` counts as lost.
class GoneRecords : public RecordSource {
 public:
  // `name`: of the source that had them.
  GoneRecords(std::string name, std::vector<Chain> chains)
      : name_(std::move(name)), chains_(std::move(chains)) {}

  const std::string& name() const override { return name_; }
  std::vector<Chain> chains() override { return chains_; }
  std::uint64_t first(const Chain&) override { return 0; }
  std::optional<Waiting> waiting(const Chain&, std::uint64_t) override { return std::nullopt; }
  std::unique_ptr<RecordReader> read(const Chain& chain, std::uint64_t from,
                                     std::uint64_t to) override;
  void archived(const Chain&, std::uint64_t) override {}
  void wait(std::chrono::milliseconds) override {}

 private:
  std::string name_;
  std::vector<Chain> chains_;
};

// The claims of a chain that have no `.done`, and whether the youngest of them is old enough.
struct LeftOpen {
  std::size_t claims = 0;
  bool is_old = false;
};
LeftOpen left_open(const Archive& archive, const Chain& chain, std::int64_t now_micros);

}  // namespace segue::warehouse
