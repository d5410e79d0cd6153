#pragma once

#include "exchange/error.hpp"

namespace segue {

// A server could not be reached, or refused what a command asked of it; `what()` is one line that
// says who, what and what to do. Commands end with exit code 3.
class RemoteError : public StartupError {
 public:
  using StartupError::StartupError;
};

}  // namespace segue
