#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>

#include "cli/exchange_reader.hpp"
#include "cli/filters.hpp"
#include "cli/listing.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl tail [SOURCE] -n 20 -f`: the last exchanges, then with -f those that come, over new
// segments and new runs. FINISH records are joined to the exchanges that are printed first; of
// those that come later, each is a line of its own when its exchange was printed.
class TailCommand {
 public:
  explicit TailCommand(CLI::App& program);
  bool chosen() const;
  // The exit code; 130 when -f was interrupted. Throws StartupError.
  int run();

 private:
  // The last matching exchanges of what `reader` holds so far, their FINISH joined.
  std::deque<v1::Exchange> last_of(ExchangeReader& reader) const;
  int follow(ExchangeReader& reader, Listing& listing);
  bool wanted(const v1::Exchange& exchange) const;
  // False: the limit is reached.
  bool print(v1::Exchange& exchange, Listing& listing);

  CLI::App* command_;
  ReadingOptions reading_;
  Filters filters_;
  OutputForm form_ = OutputForm::text;
  std::uint64_t lines_ = 20;
  std::uint64_t limit_ = 0;  // 0: none
  bool follow_ = false;

  std::uint64_t printed_ = 0;
  std::unordered_set<std::string> printed_ids_;
  std::deque<std::string> printed_order_;
};

}  // namespace segue::cli
