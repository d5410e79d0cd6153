#include "gateway/upstream/endpoint.hpp"

namespace segue::gateway {

Endpoint::Endpoint(const EndpointSettings& settings, EndpointHealth& facts,
                   const ResolvedName* resolved)
    : name(name_of(settings)), health(facts), addresses(settings, resolved) {}

Endpoint::~Endpoint() = default;

}  // namespace segue::gateway
