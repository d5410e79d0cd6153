#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace segue::recorder {

// The exchange with its bodies cut so that it takes at most `most_bytes`: the smaller body stays
// whole as long as it takes no more than half of the room. A body that was cut is TRUNCATED with
// reason "topic"; its size stays the true one. nullopt: even without bodies it is larger, or it is
// no exchange.
std::optional<std::string> cut_to(std::string_view payload, std::size_t most_bytes);

}  // namespace segue::recorder
