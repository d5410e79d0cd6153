#pragma once

#include <span>
#include <string>
#include <string_view>

namespace segue::config {

// The candidate that `word` was probably meant to be: the smallest edit distance (Damerau,
// optimal string alignment; a change of case is free), at most a third of the word's length,
// and at least 1. Empty when nothing is near; the first candidate wins among equals.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean 'method'?", or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace segue::config
