#pragma once

#include <string>
#include <string_view>

namespace segue::cli {

// Style and script of the HTML report, as they stand in it. The script only sorts, filters and
// folds what is there: without it everything can be read.
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

// A Content-Security-Policy that lets these two run and nothing else, and loads nothing (CSP 3,
// 2.3.1: hashes), so that not even a fault in escaping would run what traffic brought.
std::string page_policy();

}  // namespace segue::cli
