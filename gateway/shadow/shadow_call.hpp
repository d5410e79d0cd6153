#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/http1/head_parser.hpp"
#include "gateway/shadow/shadow.hpp"
#include "gateway/upstream/upstream.hpp"
#include "gateway/worker.hpp"
#include "recorder/capture.hpp"
#include "runtime/deadline_wheel.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

// One copy sent to one backend, its answer read as far as it goes and put on record. Nobody is
// answered by it. One deadline covers everything, `timeout` after run() began. Lives in the frame
// of its task.
class ShadowCall {
 public:
  // What a call uses, all of which outlives it.
  struct Means {
    Worker& worker;
    Upstream& upstream;
    recorder::CapturePool& captures;
  };

  ShadowCall(const Means& means, const Shadow& shadow, Kind kind);
  ShadowCall(const ShadowCall&) = delete;
  ShadowCall& operator=(const ShadowCall&) = delete;

  // Sent, timeout or error; on record by then.
  runtime::Task<ShadowResult> run();
  // Ends what waits for the backend; run() comes to its end soon.
  void abort() noexcept;

 private:
  // How the call ended before its answer was complete.
  enum class Fault : std::uint8_t {
    none,
    no_connection,
    connect_timeout,
    timeout,
    reset,
    malformed,
    aborted,
  };

  runtime::Task<Fault> call();
  runtime::Task<Fault> connect(Reuse reuse);
  // Sends the request and reads the answer, which may come before the request was taken.
  runtime::Task<Fault> ask();
  runtime::Task<void> send();
  runtime::Task<Fault> read_answer();
  runtime::Task<Fault> read_head();
  // Takes the interim responses at the front of the buffer; done when a final head is there.
  std::optional<Fault> parse_head();
  void begin_body();
  runtime::Task<Fault> read_body();
  // Decodes what is in the buffer; false: the body is damaged.
  bool take_content();
  void take(std::string_view content);
  runtime::Task<runtime::Transfer> read();
  // Why nothing more is to be waited for; none: go on.
  Fault stopped() noexcept;
  bool may_retry(Fault fault) const noexcept;
  void give_back_connection();
  void attempt_failed(std::string_view endpoint, std::string error);
  void failed(Fault fault);
  BodyView recorded_body();
  void record();
  std::int64_t elapsed_micros() const noexcept;
  std::size_t buffer_bytes() const noexcept;

  struct FailedAttempt {
    std::string endpoint;
    std::string error;
    std::int64_t at;
  };

  Worker& worker_;
  Upstream& upstream_;
  const Shadow& shadow_;
  const Kind kind_;
  const ShadowHead& head_;
  runtime::Deadline deadline_;
  ExchangeId id_;
  std::int64_t created_at_ = 0;
  runtime::MonotonicNs started_ = 0;
  runtime::MonotonicNs expiry_ = runtime::kNever;
  bool expired_ = false;
  bool aborted_ = false;

  UpstreamLease lease_;
  std::string endpoint_;
  std::int64_t ready_at_ = 0;  // microseconds since the start: connection ready
  runtime::Fork upload_;
  bool sent_whole_ = false;
  bool got_bytes_ = false;  // any byte of an answer

  http1::ResponseParser parser_;
  http1::ChunkDecoder chunks_;
  recorder::BodyCapture body_;
  std::uint64_t body_left_ = 0;   // Framing::length: bytes still to come
  std::uint64_t body_bytes_ = 0;  // of content that came
  bool answered_ = false;         // a final head is there
  bool body_ended_ = false;
  bool body_cut_ = false;  // it passed max_body: the rest is not read
  bool reusable_ = false;

  Outcome outcome_ = Outcome::completed;
  Timing timing_;
  std::vector<std::uint16_t> interim_;
  std::vector<FailedAttempt> failed_;
};

}  // namespace segue::gateway
