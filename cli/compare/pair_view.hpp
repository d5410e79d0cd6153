#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/colour.hpp"
#include "cli/show.hpp"
#include "cli/source.hpp"
#include "compare/comparer.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {

// A primary with what was sent to compare it with: shadow, control.
struct PairExchanges {
  v1::Exchange primary;
  std::vector<v1::Exchange> others;
};

// Looks through sources for the pairs that an id belongs to: that of the primary, of its shadow or
// of its control, or the start of one.
class PairSearch {
 public:
  // Throws StartupError, RemoteError; also for what is no id.
  PairSearch(const std::vector<Source>& sources, std::string_view id);

  // In the order of their ids. Those without primary, or without anything to compare it with, are
  // left out.
  std::vector<PairExchanges> found() const;

 private:
  struct Group {
    bool has_primary = false;
    v1::Exchange primary;
    std::map<std::string, v1::Exchange> others;  // by raw id
  };

  void look(const std::vector<Source>& sources, const IdPrefix& prefix, std::int64_t since);
  void take(const v1::Exchange& exchange, const IdPrefix& prefix);

  std::map<std::string, Group> groups_;  // by the primary's raw id
};

// A line for each, to choose from.
std::string candidates_text(const std::vector<PairExchanges>& pairs);

// One pair with every difference.
class PairView {
 public:
  PairView(const PairExchanges& pair, compare::Comparer& comparer);

  std::string text(const Paint& paint) const;
  std::string json() const;
  bool differs() const;  // primary and shadow

 private:
  const PairExchanges& pair_;
  std::vector<compare::Comparison> comparisons_;  // of each of the others
};

}  // namespace segue::cli
