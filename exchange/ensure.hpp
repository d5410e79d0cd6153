#pragma once

#include <source_location>

namespace segue {

// Prints `why` and where, then aborts. Never returns.
[[noreturn]] void ensure_failed(const char* why, std::source_location where) noexcept;

// A broken invariant ends the process in every build: `ensure(condition, "why")`.
// Never for what a peer, a disk or a user can cause; those are a Result.
inline void ensure(bool condition, const char* why,
                   std::source_location where = std::source_location::current()) noexcept {
  if (!condition) [[unlikely]]
    ensure_failed(why, where);
}

}  // namespace segue
