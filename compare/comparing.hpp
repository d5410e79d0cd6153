#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "compare/comparer.hpp"
#include "compare/pairing.hpp"
#include "compare/report.hpp"
#include "compare/settings.hpp"
#include "compare/tally.hpp"

namespace segue::compare {

struct ComparingSettings {
  std::map<std::string, RouteRules> routes{};  // by name
  RouteRules otherwise{};                      // of routes that are not among them
  PairingBounds waiting{};                     // for their other half
  std::set<std::string> expected{};            // routes that are in the report even without a pair
  // Once it is requested, on any thread, the comparison that is under way ends at once, and pairs
  // are not compared any more: their reason is "stopped".
  std::stop_token stop{};
};

// The whole way from exchanges to a report: pairs them, compares each pair by its route's rules,
// counts it and learns what is noise. `seguectl compare`, live comparison and the benchmark share
// it. In whichever order exchanges come, the report is the same, as long as no bound is reached.
// One thread.
class Comparing {
 public:
  // Routes that are told apart; what comes over that is counted, by the rules of `otherwise`, under
  // kOtherRoutes.
  static constexpr std::size_t kMostRoutes = 1'000;
  static constexpr const char* kOtherRoutes = "(other routes)";

  // `problem` of the first rule that is none, with its route. Those of a configuration that was
  // loaded have none.
  struct Made;
  static Made make(ComparingSettings settings);
  ~Comparing();

  // Any exchange of a record, in any order; takes its content. What says nothing of a comparison is
  // ignored, FINISH records too.
  void add(v1::Exchange&& exchange);

  // Called for each pair once it is counted, with how it stands by what is known by then: the
  // report may judge it otherwise in the end. What it is given is valid during the call.
  struct Compared {
    const std::string& route;
    const Pair& pair;
    const Comparison& comparison;
    RouteTally::Standing standing;
  };
  void on_compared(std::function<void(const Compared&)> told);

  // As of now; may be asked again and again.
  Report report() const;
  std::map<std::string, std::uint64_t> findings() const;  // by route; much cheaper than a report

  std::uint64_t pairs() const noexcept;     // of primary and shadow, compared so far
  std::size_t waiting() const noexcept;     // for their other half, now
  std::uint64_t given_up() const noexcept;  // waited in vain until they had to go

 private:
  struct State;
  explicit Comparing(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Comparing::Made {
  std::unique_ptr<Comparing> comparing;  // null: there is a problem
  std::string problem;                   // "route search-read: compare.json[2].path: ..."
};

}  // namespace segue::compare
