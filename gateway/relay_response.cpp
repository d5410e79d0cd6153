// The response of a Relay: decoded, captured, recorded before its last byte leaves.
#include <boost/asio/error.hpp>

#include "gateway/relay.hpp"
#include "gateway/shadow/shadows.hpp"

namespace segue::gateway {

using runtime::monotonic_now;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

// Everything that is decided from the response's head.
void Relay::begin_response() {
  const http1::RequestHead& request = exchange_.request();
  const http1::ResponseHead& head = exchange_.response_parser.head();
  exchange_.response = {.status = head.status,
                        .version_minor = head.version_minor,
                        .reason = head.reason,
                        .interim = {},
                        .fields = head.fields,
                        .trailers = {},
                        .body = {}};
  to_client_ = head.framing;
  if (head.framing == http1::Framing::chunked || head.framing == http1::Framing::until_close)
    to_client_ = request.version_minor == 0 ? http1::Framing::until_close : http1::Framing::chunked;
  // Where the upload still runs, the client may go on sending what nobody will read.
  close_client_ = !request.keep_alive || worker_.draining() || !uploaded_ ||
                  to_client_ == http1::Framing::until_close;
  response_left_ = head.content_length;
  response_ended_ = head.framing == http1::Framing::none ||
                    (head.framing == http1::Framing::length && response_left_ == 0);
  // A backend that was asked to switch protocols may have done so whatever it says.
  upstream_reusable_ =
      head.keep_alive && head.framing != http1::Framing::until_close && !upgrade_;
  if (head.framing != http1::Framing::none) start_capture(exchange_.response_body, exchange_);

  char id[ExchangeId::kTextLength];
  http1::ResponseForward forward;
  forward.client_version_minor = request.version_minor;
  forward.via = worker_.settings.via;
  forward.framing = to_client_;
  forward.close = close_client_;
  forward.edits = worker_.edits[exchange_.decision.route->index].of_response();
  forward.scheme = exchange_.scheme;
  forward.websocket = head.status == 101;
  if (!head.has(http1::KnownField::date)) forward.date = worker_.date.now();
  if (passes_response_trailers()) forward.trailers = &traffic_.trailers.response;
  if (client_.listener.exchange_id_header) {
    exchange_.id.format(id);
    forward.exchange_id = std::string_view(id, sizeof id);
  }
  exchange_.out.clear();
  http1::write_response_head(head, forward, exchange_.out);
}

// Its text is in the backend's buffer, which goes; the access log may still have its line to write.
void Relay::forget_response_head() noexcept {
  exchange_.response.reason = {};
  exchange_.response.fields = {};
}

Task<Next> Relay::relay_response() {
  begin_response();
  runtime::Buffer& in = lease_->buffer;
  const std::size_t head_bytes = exchange_.response_parser.head().bytes;
  for (;;) {
    const bool sound = take_content(head_bytes);
    if (!sound) co_return co_await broken_response(Outcome::upstream_reset);
    if (response_ended_) {
      exchange_.response_body.end();
      co_return co_await finish_response();
    }
    const bool sent = co_await send_part();
    if (!sent && !exchange_.unsafe()) co_return co_await broken_response(Outcome::client_aborted);
    exchange_.response_body.keep();
    in.truncate(head_bytes);

    const Transfer got = co_await read_upstream(timeouts_.idle);
    if (upload_refusal_ || (client_gone_ && !exchange_.unsafe()))
      co_return co_await broken_response(Outcome::client_aborted);
    in.commit(got.bytes);
    if (got.bytes != 0) continue;
    if (got.ec == errors::timed_out) {
      worker_.counters.limits.add(passed_limit("idle"));
      co_return co_await broken_response(Outcome::upstream_timeout);
    }
    const bool closing_ends =
        exchange_.response_parser.head().framing == http1::Framing::until_close;
    if (got.ec || !closing_ends) co_return co_await broken_response(Outcome::upstream_reset);
    response_ended_ = true;
  }
}

void Relay::add_piece(std::string_view text) {
  if (!text.empty()) exchange_.pieces.push_back({const_cast<char*>(text.data()), text.size()});
}

bool Relay::take_content(std::size_t head_bytes) {
  const http1::Framing framing = exchange_.response_parser.head().framing;
  std::string_view rest = lease_->buffer.readable().substr(head_bytes);
  exchange_.pieces.clear();
  exchange_.pieces.push_back({});  // the size line of a chunk
  part_bytes_ = 0;
  const auto take = [this](std::string_view bytes) {
    if (bytes.empty()) return;
    part_bytes_ += bytes.size();
    exchange_.response_body.borrow(bytes);
    add_piece(bytes);
  };
  if (framing == http1::Framing::until_close) {
    take(rest);
    return true;
  }
  if (framing == http1::Framing::length) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(response_left_, rest.size()));
    take(rest.substr(0, now));
    response_left_ -= now;
    rest.remove_prefix(now);
    response_ended_ = response_left_ == 0;
  }
  while (framing == http1::Framing::chunked && !response_ended_ && !rest.empty()) {
    const auto step = response_chunks_.step(rest);
    if (step.state == http1::ChunkDecoder::State::damaged) return false;
    take(step.content);
    rest.remove_prefix(step.consumed);
    response_ended_ = step.state == http1::ChunkDecoder::State::done;
    take_response_trailers(step);
  }
  // Bytes behind the end of the body are no answer to anything.
  if (response_ended_ && !rest.empty()) upstream_reusable_ = false;
  return true;
}

// Sends the head, if it is still here, and the content in the pieces. False: the client is gone.
Task<bool> Relay::send_part() {
  std::vector<iovec>& content = exchange_.pieces;
  std::span<iovec> pieces = std::span<iovec>(content).subspan(1);
  if (to_client_ == http1::Framing::chunked) {
    std::optional<std::string_view> trailers;
    if (response_ended_)
      trailers = passes_response_trailers() ? exchange_.response_trailers.lines() : "";
    pieces = response_writer_.frame(content, part_bytes_, trailers);
  }
  if (client_gone_) co_return false;
  std::vector<iovec>& all = exchange_.out.pieces();
  if (!head_sent_) {
    all.insert(all.end(), pieces.begin(), pieces.end());
    pieces = all;
    head_sent_ = true;
  }
  if (pieces.empty()) co_return true;
  const auto patience = std::chrono::nanoseconds(worker_.settings.limits.send_idle).count();
  const Transfer sent = co_await client_.stream.write(pieces, patience);
  sent_to_client_ += sent.bytes;
  if (sent.ec) client_left(sent.ec);
  co_return !sent.ec;
}

Task<Next> Relay::finish_response() {
  exchange_.timing.last_byte = exchange_.elapsed_micros();
  count_backend();
  const bool was_gone = client_gone_;  // as the record says it; an upload may notice meanwhile
  if (was_gone) exchange_.outcome = Outcome::client_aborted;
  if (exchange_.shadow) promise_shadow();
  const bool late = records_late();
  if (!late) {
    const bool recorded = co_await record(client_, exchange_);
    if (!recorded) co_return co_await unrecorded();
  }
  const bool sent = co_await send_part();
  if (late) {
    if (!sent) exchange_.outcome = Outcome::client_aborted;
    co_await record(client_, exchange_);
  } else if (!sent && !was_gone && exchange_.recorded) {
    const std::int64_t now = runtime::unix_micros_now();
    worker_.recorder->finish({.id = worker_.ids.next(now),
                              .exchange_id = exchange_.id,
                              .at = now,
                              .outcome = Outcome::client_aborted,
                              .bytes_from_client = exchange_.request_body.size(),
                              .bytes_to_client = sent_to_client_});
  }
  count_finished(client_, exchange_);
  const bool upload_was_over = uploaded_;
  co_await stop_upload();
  finish_upstream();
  if (exchange_.shadow) launch_shadow();
  client_.buffer.consume(exchange_.request().bytes + window_used_);
  // A client that is only slow must not take an end for the end of the body.
  if (client_gone_) co_return Next::reset;
  if (!upload_was_over) co_return Next::linger;
  co_return close_client_ ? Next::close : Next::keep_alive;
}

// A body that is too long for a copy goes on to the backend all the same.
void Relay::copy_to_shadow(std::string_view content) noexcept {
  if (const auto skipped = exchange_.shadow->add(content)) exchange_.skip_shadow(*skipped);
}

// The answer is here; the record that follows says what becomes of the shadow.
void Relay::promise_shadow() noexcept {
  const bool whole = uploaded_ || upload_plan_ == Upload::whole;
  if (!whole) return exchange_.skip_shadow(ShadowResult::skipped_incomplete);
  if (worker_.recorder->scarce()) return exchange_.skip_shadow(ShadowResult::skipped_journal);
  const std::size_t rest = upload_plan_ == Upload::whole ? window_used_ : 0;
  if (const auto skipped = exchange_.shadow->promise(rest)) return exchange_.skip_shadow(*skipped);
  exchange_.shadow_note = name_of(ShadowResult::sent);
}

void Relay::launch_shadow() noexcept {
  const http1::RequestHead& head = exchange_.request();
  exchange_.shadow->primary_took(exchange_.timing.last_byte - sent_at_);
  std::string_view rest;
  if (upload_plan_ == Upload::whole)
    rest = client_.buffer.readable().substr(head.bytes, window_used_);
  worker_.shadows->launch(client_, exchange_, rest);
}

// `durability: best-effort`: the answer first.
bool Relay::records_late() const noexcept {
  return worker_.recorder->settings(exchange_.route_index()).durability ==
         recorder::Durability::best_effort;
}

// What the backend alone took: connection ready to last byte.
void Relay::count_backend() {
  worker_.counters.backends[exchange_.decision.backend]
      .requests.of(method_label(exchange_.request().method), exchange_.response.status)
      .observe(exchange_.timing.last_byte - sent_at_);
}

void Relay::finish_upstream() {
  const http1::ResponseHead& head = exchange_.response_parser.head();
  UpstreamConnection& connection = *lease_;
  if (!upstream_reusable_ || !uploaded_) {
    if (head.keep_alive) ++worker_.upstreams[exchange_.decision.backend]->counts().discarded;
    return lease_.discard();
  }
  connection.idle_time = worker_.settings.backends[exchange_.decision.backend].idle_time;
  if (head.keep_alive_seconds)
    connection.idle_time = std::min<std::chrono::milliseconds>(
        connection.idle_time, std::chrono::seconds(*head.keep_alive_seconds));
  lease_.give_back();
}

// The response cannot be completed; the client must see that it is not whole.
Task<Next> Relay::broken_response(Outcome outcome) {
  exchange_.outcome = client_gone_ ? Outcome::client_aborted : outcome;
  exchange_.timing.last_byte = exchange_.elapsed_micros();
  if (!head_sent_ && exchange_.outcome == Outcome::upstream_reset) {
    co_await stop_upload();
    lease_.discard();
    constexpr Refusal damaged{502, "upstream_malformed", "the backend's answer is damaged"};
    co_return co_await refuse(client_, exchange_, damaged, Next::linger);
  }
  co_await record(client_, exchange_);
  count_finished(client_, exchange_);
  co_await stop_upload();
  lease_.discard();
  co_return Next::reset;
}

// `when_full: refuse`: nothing is answered that is not on record.
Task<Next> Relay::unrecorded() {
  co_await stop_upload();
  forget_response_head();
  lease_.discard();
  // Appended but not written: what the record says must not be answered differently.
  if (head_sent_ || exchange_.recorded) {
    ++worker_.counters.unrecorded_resets;
    if (exchange_.shadow) launch_shadow();  // what is on record as sent is sent
    co_return Next::reset;
  }
  if (exchange_.shadow) exchange_.skip_shadow(ShadowResult::skipped_incomplete);
  constexpr Refusal full{503, "journal_full", "the exchange could not be recorded"};
  co_return co_await refuse(client_, exchange_, full, Next::close);
}

}  // namespace segue::gateway
