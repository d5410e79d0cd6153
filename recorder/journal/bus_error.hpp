#pragma once

#include <cstddef>

namespace segue::recorder {

// A store to a mapped segment whose disk fails ends the process with SIGBUS. From the first
// remembered mapping on, a handler names the segment on stderr before that. Any thread; a mapping
// over the limit of 4096 is not named. `path` must outlive the mapping.
void remember_mapping(const char* base, std::size_t bytes, const char* path) noexcept;
void forget_mapping(const char* base) noexcept;

}  // namespace segue::recorder
