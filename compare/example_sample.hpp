#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/difference.hpp"
#include "compare/report.hpp"

namespace segue::compare {

// A few of many pairs, each as likely as any other: those whose primaries' ids have the lowest
// hashes. So they are spread over time, and do not depend on the order in which pairs come.
class ExampleSample {
 public:
  struct Candidate {
    std::uint64_t priority;      // of priority_of()
    const std::string& primary;  // raw ids
    const std::string& other;
    const Difference& difference;
  };
  static std::uint64_t priority_of(const std::string& primary) noexcept;

  void offer(const Candidate& candidate);
  // The oldest first.
  std::vector<Example> examples() const;

 private:
  struct Kept {
    std::uint64_t priority;
    Example example;  // with raw ids
  };
  std::vector<Kept> kept_;  // by priority
};

}  // namespace segue::compare
