#include "gateway/upstream/health_answer.hpp"

#include <algorithm>

namespace segue::gateway {

HealthAnswer::State HealthAnswer::take(runtime::Buffer& in) noexcept {
  while (status_ == 0) {
    const auto state = parser_.parse(in.readable(), "GET");
    if (state == http1::ParseState::need_more) return State::more;
    if (state == http1::ParseState::refused) return damaged(parser_.refusal().reason);
    const http1::ResponseHead& head = parser_.head();
    if (head.status == 101) return damaged("unasked_upgrade");
    if (head.status >= 200) {
      status_ = head.status;
      framing_ = head.framing;
      left_ = head.content_length;
    } else if (++interim_ > kMaxInterim) {
      return damaged("too_many_interim");
    }
    in.consume(head.bytes);
    parser_.reset();
  }
  return take_body(in);
}

HealthAnswer::State HealthAnswer::take_body(runtime::Buffer& in) noexcept {
  std::string_view rest = in.readable();
  body_bytes_ += rest.size();
  bool ended = framing_ == http1::Framing::none;
  if (framing_ == http1::Framing::length) {
    left_ -= std::min<std::uint64_t>(left_, rest.size());
    ended = left_ == 0;
  }
  while (framing_ == http1::Framing::chunked && !ended && !rest.empty()) {
    const auto step = chunks_.step(rest);
    if (step.state == http1::ChunkDecoder::State::damaged) return damaged(chunks_.damage());
    rest.remove_prefix(step.consumed);
    ended = step.state == http1::ChunkDecoder::State::done;
  }
  in.truncate(0);
  return ended || body_bytes_ >= most_body_ ? State::done : State::more;
}

HealthAnswer::State HealthAnswer::end() const noexcept {
  return status_ != 0 && framing_ == http1::Framing::until_close ? State::done : State::damaged;
}

HealthAnswer::State HealthAnswer::damaged(const char* how) noexcept {
  damage_ = how;
  return State::damaged;
}

}  // namespace segue::gateway
