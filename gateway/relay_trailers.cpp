// Trailers of a Relay: those that the route's lists name pass, behind our own chunks.
#include "gateway/relay.hpp"

namespace segue::gateway {

void Relay::take_request_trailers(const http1::ChunkDecoder::Step& step) {
  const http1::TrailerNames& allowed = traffic_.trailers.request;
  http1::Trailers& trailers = exchange_.request_trailers;
  if (!allowed.empty()) trailers.add(step.trailer);
  if (step.state != http1::ChunkDecoder::State::done || request_chunks_.trailers() == 0) return;
  trailers.choose(allowed, exchange_.request());
  worker_.counters.trailers_dropped += request_chunks_.trailers() - trailers.fields().size();
}

// Those of the list are on record also where the client takes none.
void Relay::take_response_trailers(const http1::ChunkDecoder::Step& step) {
  const http1::TrailerNames& allowed = traffic_.trailers.response;
  http1::Trailers& trailers = exchange_.response_trailers;
  if (!allowed.empty()) trailers.add(step.trailer);
  if (step.state != http1::ChunkDecoder::State::done || response_chunks_.trailers() == 0) return;
  trailers.choose(allowed, exchange_.response_parser.head());
  exchange_.response.trailers = trailers.fields();
  const std::size_t passed = passes_response_trailers() ? trailers.fields().size() : 0;
  worker_.counters.trailers_dropped += response_chunks_.trailers() - passed;
}

bool Relay::passes_response_trailers() const noexcept {
  return to_client_ == http1::Framing::chunked && http1::takes_trailers(exchange_.request());
}

}  // namespace segue::gateway
