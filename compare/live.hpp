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

// Compares shadow traffic as it is recorded: a thread of its own that reads the journal (as every
// reader does: nothing waits for it) from where it is at the start. A sample by exchange id; when it
// falls behind, what was overwritten or did not fit in its queue is dropped and counted.
class LiveComparison {
 public:
  // `routes` by name: those that shadow. Starts when start() is called; the folder exists.
  LiveComparison(std::filesystem::path journal, const LiveSettings& settings,
                 std::map<std::string, RouteRules> routes);
  // Ends the thread.
  ~LiveComparison();
  LiveComparison(const LiveComparison&) = delete;
  LiveComparison& operator=(const LiveComparison&) = delete;

  void start();

  struct Count {
    std::string route;
    std::string_view result;  // of name_of(RouteTally::Standing), static text
    std::uint64_t count = 0;
  };
  struct Status {
    std::vector<Count> counts;        // every route and result, zeros included
    std::uint64_t dropped = 0;        // exchanges that had to go unpaired
    std::uint64_t waiting = 0;        // in the queue now
    std::map<std::string, std::uint64_t> findings;  // by route, as of now
  };
  // Any thread.
  Status status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::compare
