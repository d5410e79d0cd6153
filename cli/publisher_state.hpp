#pragma once

#include <string>
#include <string_view>

#include "recorder/publisher/publisher.hpp"

namespace segue::cli {

// "connecting", "publishing", "waiting", "halted": in /metrics and /readyz.
std::string_view name_of(recorder::PublisherStatus::State state) noexcept;

// The body of /readyz. Kafka does not count for readiness, or one outage would take every gateway
// out of service; what is wrong with it is said all the same. `publisher` null: there is none.
std::string readiness_text(bool ready, const recorder::Publisher* publisher);

}  // namespace segue::cli
