#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compare/report.hpp"
#include "compare/settings.hpp"

namespace segue::compare {

// Compares shadow traffic as it is recorded: a thread of its own, of low priority, that reads what
// this process records (as every reader does: nothing waits for it) from where that is at the
// start. What other processes record in the same folder is theirs to compare. A sample by the
// primary's id; when it falls behind, what was overwritten or did not fit among those that wait is
// dropped and counted.
class LiveComparison {
 public:
  // `run`: the folder of the process's run within the journal's, Journal::run(), which stays there
  // until it has ended. `routes` by name: those that shadow, with rules that were checked.
  LiveComparison(std::filesystem::path run, const LiveSettings& settings,
                 std::map<std::string, RouteRules> routes);
  // Ends the thread, in the midst of a pair too.
  ~LiveComparison();
  LiveComparison(const LiveComparison&) = delete;
  LiveComparison& operator=(const LiveComparison&) = delete;

  // Passes over what is recorded by now, then starts the thread. Once.
  void start();

  struct Count {
    std::string route;
    std::string_view result;  // of name_of(RouteTally::Standing), static text
    std::uint64_t count = 0;
  };
  struct Status {
    std::vector<Count> counts{};    // every route and result, zeros included
    std::uint64_t gave_up = 0;      // exchanges that had to go unpaired
    std::uint64_t overwritten = 0;  // frames of any kind that were gone before they were read
    std::uint64_t waiting = 0;      // in the queue now
    std::map<std::string, std::uint64_t> findings{};  // by route, as of the last second
  };
  // Any thread.
  Status status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::compare
