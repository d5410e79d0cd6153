#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/answers.hpp"
#include "gateway/client.hpp"
#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/http1/chunk_writer.hpp"
#include "gateway/tunnel.hpp"
#include "gateway/upstream/upstream.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

// Starts a capture as the route's `record.bodies` says.
void start_capture(recorder::BodyCapture& capture, const Exchange& exchange);

// One exchange with the backend: sends the request, relays the answer, records it before its last
// byte leaves. Lives on the session's frame while run() does. The client's buffer holds the
// request's head (which the exchange views) and behind it the body or its beginning; when run()
// is over, what is left in it is what came after the request.
class Relay {
 public:
  // whole: the body, if any, is in the client's buffer; streamed: it is passed on as it comes.
  enum class Upload : std::uint8_t { whole, streamed };

  Relay(Client& client, Exchange& exchange, Upload upload);

  runtime::Task<Next> run();
  // Ends what waits for the backend; run() comes to its end soon.
  void abort() noexcept {
    aborted_ = true;
    if (lease_) lease_->stream.cancel();
    if (tunnel_) tunnel_->abort();
  }

 private:
  // How the backend's part ended before a response could be relayed.
  enum class Failure : std::uint8_t { none, reset, timeout, malformed, client_gone, upload };

  runtime::Task<Next> serve();
  // The way to the response head; a refusal when there is none.
  runtime::Task<std::optional<Refusal>> reach_backend();
  // Of the backend that was decided for, or its fallback.
  void take_timeouts() noexcept;
  runtime::Task<std::optional<Refusal>> connect(Reuse reuse);
  runtime::Task<std::optional<NoConnection>> connect_to_backend(Reuse reuse);
  void earn_retry() noexcept;
  bool may_spend_retry() noexcept;
  // Nanoseconds that an endpoint must have had for its part before it is to blame for a limit of
  // time that passed: half of what the backend may take. 0: there is no limit.
  runtime::MonotonicNs fair_time() const noexcept;
  void take_lease(UpstreamLease lease);
  bool is_known_to_be_down() const noexcept;
  void fall_back(FallbackReason why) noexcept;
  runtime::Task<Failure> send_and_read_head();
  runtime::Task<void> send_head();
  runtime::Task<Failure> read_response_head();
  // Takes the interim responses at the front of the buffer; done when a final head is there.
  runtime::Task<std::optional<Failure>> parse_response_head();
  runtime::Task<void> relay_interim();
  bool may_retry(Failure failure) const noexcept;
  void judge_endpoint(Failure failure) noexcept;
  bool had_its_time() const noexcept;
  Refusal refusal_of(Failure failure);
  // The limit of the backend that was passed: `total`, when its time is up, else the one given.
  const char* passed_limit(const char* otherwise) const noexcept;

  // The request body beside it.
  runtime::Task<void> upload();
  runtime::Task<bool> upload_window(bool& ended);
  runtime::Task<bool> send_body_pieces(std::uint64_t content, bool ended);
  void expect_answer() noexcept;
  void upload_failed(const Refusal& refusal);
  // `why`: what ended a write to it, if one did.
  void client_left(boost::system::error_code why = {});
  runtime::Task<void> stop_upload();

  // The copy for another backend.
  void copy_to_shadow(std::string_view content) noexcept;
  void promise_shadow() noexcept;
  void launch_shadow() noexcept;

  // The response.
  runtime::Task<Next> relay_response();
  void begin_response();
  void forget_response_head() noexcept;
  // Decodes what is in the buffer into pieces; false: the body is damaged.
  bool take_content(std::size_t head_bytes);
  runtime::Task<bool> send_part();
  runtime::Task<Next> finish_response();
  runtime::Task<Next> broken_response(Outcome outcome);
  runtime::Task<Next> unrecorded();

  // The WebSocket that the backend agreed to open.
  bool switches_protocols() const noexcept;
  runtime::Task<Next> switch_protocols();
  // Puts the handshake on record and hands it to the client; how the session goes on if that failed.
  runtime::Task<std::optional<Next>> pass_handshake(std::string_view early);
  void open_tunnel(std::size_t early_bytes);
  void finish_tunnel(Outcome outcome, std::uint64_t from_client, std::uint64_t to_client);

  // Trailers: those that the route lets pass.
  void take_request_trailers(const http1::ChunkDecoder::Step& step);
  void take_response_trailers(const http1::ChunkDecoder::Step& step);
  bool passes_response_trailers() const noexcept;
  bool records_late() const noexcept;
  void count_backend();
  void finish_upstream();
  void add_piece(std::string_view text);

  runtime::Task<runtime::Transfer> read_upstream(std::optional<std::chrono::milliseconds> limit);
  std::size_t response_buffer() const noexcept;
  std::chrono::nanoseconds upstream_patience() const noexcept;

  Client& client_;
  Exchange& exchange_;
  Worker& worker_;
  const RouteTraffic& traffic_;
  Upload upload_plan_;
  const bool upgrade_;  // the client asks for a WebSocket, and the route opens some
  Timeouts timeouts_;
  runtime::MonotonicNs total_expiry_ = runtime::kNever;
  runtime::MonotonicNs answer_expiry_ = runtime::kNever;  // of the read that waits, by the upload
  bool aborted_ = false;
  UpstreamLease lease_;
  std::int64_t sent_at_ = 0;  // microseconds since the exchange began: connection ready

  // Upload.
  runtime::Fork upload_;
  http1::ChunkDecoder request_chunks_;
  std::uint64_t upload_left_ = 0;  // Framing::length: bytes still to come
  std::uint64_t upload_bytes_ = 0;
  std::size_t window_used_ = 0;  // bytes behind the head in the client's buffer, used up
  bool uploaded_ = false;        // whole and handed to the backend's socket
  bool stopping_upload_ = false;
  std::optional<Refusal> upload_refusal_;
  std::vector<iovec> upload_pieces_;
  http1::ChunkWriter upload_writer_;

  // Response.
  http1::ChunkDecoder response_chunks_;
  http1::Framing to_client_ = http1::Framing::none;
  std::uint64_t response_left_ = 0;  // Framing::length: bytes still to come
  std::uint64_t sent_to_client_ = 0;
  std::uint64_t part_bytes_ = 0;  // content in the pieces
  http1::ChunkWriter response_writer_;
  bool got_bytes_ = false;  // any byte of a response
  bool response_ended_ = false;
  bool upstream_reusable_ = false;
  bool head_sent_ = false;
  bool client_gone_ = false;
  bool close_client_ = false;
  std::optional<Tunnel> tunnel_;
};

}  // namespace segue::gateway
