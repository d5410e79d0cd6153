#pragma once

#include <thread>

#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// Ends the statements of an engine once interrupted(), those of then and those that follow, which
// throw SqlError. A thread of its own; the engine outlives it.
class StatementEnd {
 public:
  explicit StatementEnd(warehouse::Engine& engine);

 private:
  std::jthread thread_;
};

}  // namespace segue::cli
