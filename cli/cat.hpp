#pragma once

#include <cstdint>

#include "cli/filters.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl cat [SOURCE]`: every exchange of a source, in causal order. FINISH records are joined
// to their exchanges: a first pass gathers them, the second prints.
class CatCommand {
 public:
  explicit CatCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError.
  int run();

 private:
  CLI::App* command_;
  ReadingOptions reading_;
  Filters filters_;
  OutputForm form_ = OutputForm::text;
  std::uint64_t limit_ = 0;  // 0: none
};

}  // namespace segue::cli
