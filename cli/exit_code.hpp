#pragma once

namespace segue::cli {

// What every command of this project answers with.
inline constexpr int kClean = 0;
// What was asked about: invalid, a failed test, a difference; without --yes, something to do.
inline constexpr int kFound = 1;
inline constexpr int kFailed = 2;  // could not do it: usage, unreadable input
inline constexpr int kRemote = 3;  // a server cannot be reached, or refuses
inline constexpr int kInterrupted = 130;  // by Ctrl-C

}  // namespace segue::cli
