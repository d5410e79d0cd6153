#include "tests/gateway/conformance_replay.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  });
  return out;
}

// Gives `take` a beginning of `bytes` that grows until it says that it is enough.
template <typename Take>
ParseState grow(std::string_view bytes, std::size_t step, Take take) {
  ParseState state = ParseState::need_more;
  for (std::size_t end = 0; state == ParseState::need_more && end < bytes.size();) {
    end = std::min(end + step, bytes.size());
    state = take(bytes.substr(0, end));
  }
  return state;
}

class Replay {
 public:
  Replay(std::string bytes, std::size_t step) : rest_(std::move(bytes)), step_(step) {}

  OurReading requests() {
    RequestParser parser{HeadLimits{}};
    do {
      add_host();
      parser.reset();
      const auto state = grow(rest_, step_, [&](std::string_view b) { return parser.parse(b); });
      if (!take_head(state, parser)) return ours_;
      if (parser.head().upgrade) return end();
    } while (goes_on(parser.head()));
    return ours_;
  }

  OurReading responses() {
    ResponseParser parser{HeadLimits{}};
    do {
      parser.reset();
      const auto state =
          grow(rest_, step_, [&](std::string_view b) { return parser.parse(b, "GET"); });
      if (!take_head(state, parser)) return ours_;
      if (parser.head().status == 101) return end();
    } while (goes_on(parser.head()));
    return ours_;
  }

 private:
  void add_host() {
    const std::size_t start = rest_.compare(0, 2, "\r\n") == 0 ? 2 : 0;
    const auto line_end = rest_.find("\r\n", start);
    if (line_end == std::string::npos) return;
    const auto line = std::string_view(rest_).substr(start, line_end - start);
    const auto head = lower(std::string_view(rest_).substr(0, rest_.find("\r\n\r\n")));
    if (line.ends_with("HTTP/1.0") || head.find("\nhost:") != std::string::npos) return;
    rest_.insert(line_end + 2, "Host: a\r\n");
  }

  template <typename Parser>
  bool take_head(ParseState state, const Parser& parser) {
    if (state == ParseState::refused) ours_.refusal = parser.refusal().reason;
    if (state != ParseState::done) return false;
    const MessageHead& head = parser.head();
    const std::string_view body = std::string_view(rest_).substr(head.bytes);
    if (head.framing == Framing::until_close) {
      ours_.content += body.size();
      ours_.finished = true;
      return false;
    }
    const auto taken = take_body(head, body);
    if (!taken) return false;
    ++ours_.messages;
    left_ = head.bytes + *taken;
    return true;
  }

  // How many bytes a whole body took.
  std::optional<std::size_t> take_body(const MessageHead& head, std::string_view body) {
    if (head.framing == Framing::chunked) return take_chunks(body);
    if (head.framing == Framing::none) return 0;
    const auto taken = std::min<std::size_t>(body.size(), head.content_length);
    ours_.content += taken;
    return taken == head.content_length ? std::optional(taken) : std::nullopt;
  }

  std::optional<std::size_t> take_chunks(std::string_view body) {
    ChunkDecoder decoder;
    std::size_t taken = 0;
    auto state = ChunkDecoder::State::more;
    while (state == ChunkDecoder::State::more && taken < body.size()) {
      const auto step = decoder.step(body.substr(taken, step_));
      taken += step.consumed;
      ours_.content += step.content.size();
      state = step.state;
    }
    if (state == ChunkDecoder::State::damaged) ours_.refusal = decoder.damage();
    return state == ChunkDecoder::State::done ? std::optional(taken) : std::nullopt;
  }

  // Whether another message has to be read.
  bool goes_on(const MessageHead& head) {
    rest_.erase(0, left_);
    if (head.keep_alive && !rest_.empty() && rest_ != "\r\n") return true;
    end();
    return false;
  }

  OurReading end() {
    ours_.finished = true;
    return ours_;
  }

  std::string rest_;
  std::size_t step_;
  std::size_t left_ = 0;  // bytes of the message that was read last
  OurReading ours_;
};

}  // namespace

OurReading replay(const CorpusCase& sent, std::size_t step) {
  Replay connection(sent.raw, step);
  return sent.kind == MessageKind::request ? connection.requests() : connection.responses();
}

}  // namespace segue::gateway::http1
