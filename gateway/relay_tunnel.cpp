// What a Relay does when the backend agrees to speak another protocol.
#include "gateway/relay.hpp"

#include "gateway/http1/field_rules.hpp"

namespace segue::gateway {

using runtime::Task;

// RFC 9110, 15.2.2: to what was asked for, and to nothing else.
bool Relay::switches_protocols() const noexcept {
  const http1::ResponseHead& head = exchange_.response_parser.head();
  return upgrade_ && head.status == 101 && http1::upgrades_to_websocket(head);
}

Task<Next> Relay::switch_protocols() {
  begin_response();
  // The backend may have spoken in the new protocol right behind its answer.
  const std::string_view early =
      lease_->buffer.readable().substr(exchange_.response_parser.head().bytes);
  const std::optional<Next> failed = co_await pass_handshake(early);
  if (failed) co_return *failed;
  open_tunnel(early.size());
  // What the client said before it was heard.
  const std::string_view held = client_.buffer.readable().substr(exchange_.request().bytes);
  co_await tunnel_->run(held);
  const Outcome outcome = tunnel_->outcome();
  if (outcome == Outcome::client_aborted) client_left();
  finish_tunnel(outcome, tunnel_->bytes_from_client(), tunnel_->bytes_to_client());
  const Next next = tunnel_->next();
  if (next == Next::reset) lease_->stream.reset();
  lease_.discard();
  co_return next;
}

// As with every answer: on record first, then to the client.
Task<std::optional<Next>> Relay::pass_handshake(std::string_view early) {
  exchange_.timing.last_byte = exchange_.elapsed_micros();
  count_backend();
  const bool late = records_late();
  if (!late) {
    const bool recorded = co_await record(client_, exchange_);
    if (!recorded) {
      const bool appended = exchange_.recorded;  // else it is a refusal that goes on record
      const Next next = co_await unrecorded();
      if (appended) finish_tunnel(Outcome::interrupted, 0, 0);
      co_return next;
    }
  }
  exchange_.pieces.assign(1, {});
  add_piece(early);
  const bool sent = co_await send_part();
  if (late) {
    if (!sent) exchange_.outcome = Outcome::client_aborted;
    co_await record(client_, exchange_);
  }
  count_request(exchange_);
  if (sent) co_return std::nullopt;
  if (late)
    log_access(client_, exchange_, std::nullopt);
  else
    finish_tunnel(Outcome::client_aborted, 0, 0);
  lease_->stream.reset();
  lease_.discard();
  co_return Next::reset;
}

// An open tunnel holds no memory that nothing is in, but for the request's head.
void Relay::open_tunnel(std::size_t early_bytes) {
  forget_response_head();
  lease_->buffer.release();
  const routing::Decision& decision = exchange_.decision;
  const auto& route = worker_.settings.route_timeouts[decision.route->index].tunnel;
  const auto& backend = worker_.settings.backends[decision.backend].timeouts.tunnel;
  tunnel_.emplace(client_, lease_->stream, worker_.counters.backends[decision.backend],
                  route ? route : backend);
  tunnel_->passed_on(early_bytes);
  if (aborted_) tunnel_->abort();
}

void Relay::finish_tunnel(Outcome outcome, std::uint64_t from_client, std::uint64_t to_client) {
  exchange_.outcome = outcome;
  if (exchange_.recorded) {
    const std::int64_t now = runtime::unix_micros_now();
    worker_.recorder->finish({.id = worker_.ids.next(now),
                              .exchange_id = exchange_.id,
                              .at = now,
                              .outcome = outcome,
                              .bytes_from_client = from_client,
                              .bytes_to_client = to_client});
  }
  const LoggedBytes bytes{from_client, to_client};
  log_access(client_, exchange_, bytes);
}

}  // namespace segue::gateway
