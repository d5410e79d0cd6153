#include <algorithm>

#include "gateway/http1/characters.hpp"
#include "gateway/http1/field_rules.hpp"
#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {
namespace {

constexpr std::string_view kVersionStart = "HTTP/1.";
constexpr std::size_t kStatusAt = 9;   // "HTTP/1.1 "
constexpr std::size_t kReasonAt = 13;  // "HTTP/1.1 200 "

// Keep-Alive: timeout=N, max=M (RFC 2068, 19.7.1.1).
std::optional<std::uint32_t> read_keep_alive(const ResponseHead& head) noexcept {
  std::optional<std::uint32_t> seconds;
  for (std::size_t i = 0; i < head.known.size(); ++i) {
    if (head.known[i] != KnownField::keep_alive) continue;
    for_each_member(head.fields[i].value, [&](std::string_view member) {
      constexpr std::string_view kName = "timeout=";
      if (equals_ignoring_case(member.substr(0, kName.size()), kName))
        seconds = parse_saturated(member.substr(kName.size()));
    });
  }
  return seconds;
}

}  // namespace

void ResponseParser::reset() noexcept {
  reading_ = {};
  clear(head_);
  head_.status = 0;
  head_.reason = {};
  head_.keep_alive_seconds.reset();
}

ParseState ResponseParser::parse(std::string_view buffer, std::string_view method) noexcept {
  if (reading_.state != ParseState::need_more) return reading_.state;
  reading_.follow(buffer.data(), head_, {&head_.reason});
  const std::string_view window = buffer.substr(0, limits_.head_bytes);
  reading_.read_lines(
      window, [this](LineReader::Line line) { return read_line(line); },
      [this, buffer, method] { return finish(buffer, method); });
  if (reading_.state == ParseState::need_more && window.size() == limits_.head_bytes)
    reading_.state = refuse("head_too_large");
  return reading_.state;
}

ParseState ResponseParser::read_line(LineReader::Line line) noexcept {
  if (line.state != LineReader::State::complete) {
    const ParseState state = check_beginning(line.text);
    if (state == ParseState::refused || line.state == LineReader::State::partial) return state;
    return refuse(line.damage);
  }
  if (!reading_.first_line_read) return read_status_line(line.text);
  if (const char* reason = append_field(line.text, head_)) return refuse(reason);
  if (head_.fields.size() > limits_.fields) return refuse("too_many_fields");
  return ParseState::need_more;
}

ParseState ResponseParser::check_beginning(std::string_view line) noexcept {
  if (line.empty()) return ParseState::need_more;
  if (reading_.first_line_read) return is_blank(line.front()) ? refuse("obs_fold") : ParseState::need_more;
  const std::size_t length = std::min(line.size(), kVersionStart.size());
  return line.substr(0, length) == kVersionStart.substr(0, length) ? ParseState::need_more
                                                                   : refuse("bad_status_line");
}

ParseState ResponseParser::read_status_line(std::string_view line) noexcept {
  if (check_beginning(line) == ParseState::refused) return ParseState::refused;
  if (line.size() < kReasonAt - 1 || !is_digit(line[7]) || line[8] != ' ')
    return refuse("bad_status_line");
  std::uint16_t status = 0;
  for (const char c : line.substr(kStatusAt, 3)) {
    if (!is_digit(c)) return refuse("bad_status_line");
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  if (line.size() >= kReasonAt && line[kReasonAt - 1] != ' ') return refuse("bad_status_line");
  // Above 599 a status means nothing to HTTP (RFC 9110, 15), but servers use them and clients know
  // them. They cannot frame anything.
  if (status < 100) return refuse("bad_status");
  head_.status = status;
  head_.reason = line.substr(std::min(line.size(), kReasonAt));
  head_.version_minor = line[7] == '0' ? 0 : 1;
  reading_.end_first_line();
  return ParseState::need_more;
}

ParseState ResponseParser::finish(std::string_view buffer, std::string_view method) noexcept {
  reading_.end_head(buffer, head_);
  if (const char* reason = read_connection(head_, limits_.fields)) return refuse(reason);
  if (decide_framing(method) == ParseState::refused) return ParseState::refused;
  if (head_.has(KnownField::keep_alive)) head_.keep_alive_seconds = read_keep_alive(head_);
  return ParseState::done;
}

ParseState ResponseParser::decide_framing(std::string_view method) noexcept {
  const FramingFields found = read_framing_fields(head_);
  if (found.encodings > 0) {
    if (found.lengths > 0) return refuse("length_and_transfer_encoding");
    if (head_.version_minor == 0) return refuse("transfer_encoding_in_http_1_0");
    if (found.coding_unknown) return refuse("unknown_transfer_coding");
    if (!found.exactly_chunked) return refuse("bad_transfer_encoding");
  }
  if (!found.length_valid) return refuse("bad_content_length");
  if (found.lengths_differ) return refuse("differing_content_lengths");
  if (method == "HEAD" || head_.status < 200 || head_.status == 204 || head_.status == 304) {
    head_.framing = Framing::none;
  } else if (found.encodings > 0) {
    head_.framing = Framing::chunked;
  } else if (found.lengths > 0) {
    head_.framing = Framing::length;
    head_.content_length = found.length;
  } else {
    head_.framing = Framing::until_close;
    head_.keep_alive = false;
  }
  return ParseState::need_more;
}

ParseState ResponseParser::refuse(const char* reason) noexcept {
  refusal_ = {502, reason};
  return ParseState::refused;
}

}  // namespace segue::gateway::http1
