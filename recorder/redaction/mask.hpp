#pragma once

#include <string_view>

namespace segue::recorder {

// What stands in the record in place of a masked value.
inline constexpr std::string_view kMask = "***";

}  // namespace segue::recorder
