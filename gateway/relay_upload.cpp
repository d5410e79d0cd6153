// The request body of a Relay, beside its response.
#include <boost/asio/error.hpp>

#include "gateway/body_pace.hpp"
#include "gateway/relay.hpp"

namespace segue::gateway {

using runtime::after;
using runtime::monotonic_now;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

Task<void> Relay::upload() {
  BodyPace pace(worker_.settings.limits);
  runtime::Buffer& buffer = client_.buffer;
  const std::size_t head_bytes = exchange_.request().bytes;
  bool ended = false;
  for (;;) {
    const bool sent = co_await upload_window(ended);
    if (!sent) co_return expect_answer();  // the response says why, or there is none
    if (ended) break;
    buffer.truncate(head_bytes);
    window_used_ = 0;
    const Transfer got = co_await client_.stream.read_some(buffer.writable(), pace.expiry());
    if (stopping_upload_) co_return;
    if (got.ec == errors::timed_out) co_return upload_failed(kBodyTimeout);
    if (got.bytes == 0) {
      client_left();
      co_return upload_failed(Refusal{400, "body_incomplete", "the request body ended too early"});
    }
    buffer.commit(got.bytes);
    if (!pace.keeps_up(got.bytes)) co_return upload_failed(kBodyTooSlow);
  }
  uploaded_ = true;
  exchange_.timing.request_sent = exchange_.elapsed_micros();
  expect_answer();
}

// The upload is over, done or not: from here on the read that waits for the backend has its limit.
void Relay::expect_answer() noexcept {
  const auto limit = got_bytes_ ? timeouts_.idle : timeouts_.first_byte;
  if (!limit) return;
  answer_expiry_ = std::min(total_expiry_, after(monotonic_now(), *limit));
  lease_->stream.expect_read_by(answer_expiry_);
}

// Sends the content of what lies behind the head in the buffer. False: the upload is over.
Task<bool> Relay::upload_window(bool& ended) {
  const http1::RequestHead& head = exchange_.request();
  std::string_view rest = client_.buffer.readable().substr(head.bytes);
  upload_pieces_.clear();
  upload_pieces_.push_back({});  // the size line of a chunk
  std::uint64_t content = 0;
  const auto take = [&](std::string_view bytes) {
    if (bytes.empty()) return;
    content += bytes.size();
    exchange_.request_body.borrow(bytes);
    if (exchange_.shadow) copy_to_shadow(bytes);
    upload_pieces_.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  };
  if (head.framing == http1::Framing::length) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(upload_left_, rest.size()));
    take(rest.substr(0, now));
    upload_left_ -= now;
    window_used_ += now;
    ended = upload_left_ == 0;
  }
  while (head.framing == http1::Framing::chunked && !ended && !rest.empty()) {
    const auto step = request_chunks_.step(rest);
    if (step.state == http1::ChunkDecoder::State::damaged) {
      upload_failed(Refusal{400, request_chunks_.damage(), "the chunked body is damaged"});
      co_return false;
    }
    take(step.content);
    window_used_ += step.consumed;
    rest.remove_prefix(step.consumed);
    ended = step.state == http1::ChunkDecoder::State::done;
    take_request_trailers(step);
  }
  if (ended) exchange_.request_body.end();
  upload_bytes_ += content;
  const auto limit = worker_.settings.limits.body_bytes;
  if (limit && upload_bytes_ > *limit) {
    upload_failed(kBodyTooLarge);
    co_return false;
  }
  const bool sent = co_await send_body_pieces(content, ended);
  exchange_.request_body.keep();
  co_return sent;
}

Task<bool> Relay::send_body_pieces(std::uint64_t content, bool ended) {
  std::span<iovec> pieces = std::span<iovec>(upload_pieces_).subspan(1);
  if (exchange_.request().framing == http1::Framing::chunked) {
    std::optional<std::string_view> trailers;
    if (ended) trailers = exchange_.request_trailers.lines();
    pieces = upload_writer_.frame(upload_pieces_, content, trailers);
  }
  if (pieces.empty()) co_return true;
  const Transfer sent = co_await lease_->stream.write(pieces, upstream_patience().count());
  co_return !sent.ec && !stopping_upload_;
}

// The request cannot be completed: the backend must not take it for whole, so its connection goes.
void Relay::upload_failed(const Refusal& refusal) {
  upload_refusal_ = refusal;
  lease_->stream.cancel();
}

Task<void> Relay::stop_upload() {
  if (!upload_.running()) co_return;
  stopping_upload_ = true;
  client_.stream.cancel();
  if (lease_) lease_->stream.cancel();
  co_await upload_.join();
}

}  // namespace segue::gateway
