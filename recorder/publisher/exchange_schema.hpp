#pragma once

#include <string_view>

namespace segue::recorder {

// The text of recorder/exchange.proto, as it was when this was built. Its first message is
// segue.v1.Exchange, which the Confluent frame relies on.
std::string_view exchange_schema() noexcept;

}  // namespace segue::recorder
