#pragma once

#include <string>

#include "cli/compare/report_view.hpp"

namespace segue::test {

// A report of three routes as a shop may have it: findings and noise, one that is clean, and one
// with too few pairs and no controls; with two gates, one of which fails.
cli::ReportView shop_report();

// One route whose name, fields and values try to get out of whatever they stand in.
cli::ReportView hostile_report();
inline constexpr const char* kHostile =
    "</script><script>document.title='owned'</script>"
    "<img src=http://192.0.2.1/x onerror=\"document.title='owned'\">'\"&amp;]]>";

}  // namespace segue::test
