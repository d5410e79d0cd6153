#include "gateway/http1/characters.hpp"
#include "gateway/http1/field_rules.hpp"
#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {
namespace {

constexpr std::size_t kMethodBytes = 32;               // longer ones are 501
constexpr std::size_t kVersionBytes = 8;               // "HTTP/1.1"
constexpr std::size_t kTailBytes = 1 + kVersionBytes;  // after the target

// Length of the token that the line begins with, kMethodBytes + 1 at most.
std::size_t method_length(std::string_view line) noexcept {
  std::size_t length = 0;
  while (length < line.size() && length <= kMethodBytes && is_token(line[length])) ++length;
  return length;
}

// After the scheme of an absolute-form target, or 0.
std::size_t skip_scheme(std::string_view target) noexcept {
  for (const std::string_view scheme : {"http://", "https://"})
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  return 0;
}

// OPTIONS that goes no further than this gateway (RFC 9110, 7.6.2 and 9.3.7).
bool is_answered_here(const RequestHead& head) noexcept {
  return head.method == "OPTIONS" && (head.target == "*" || head.max_forwards == 0u);
}

}  // namespace

void RequestParser::reset() noexcept {
  reading_ = {};
  absolute_ = false;
  clear(head_);
  head_.method = head_.target = head_.authority = {};
  head_.expect_continue = false;
  head_.max_forwards.reset();
}

ParseState RequestParser::parse(std::string_view buffer) noexcept {
  if (reading_.state != ParseState::need_more) return reading_.state;
  reading_.follow(buffer.data(), head_, {&head_.method, &head_.target, &head_.authority});
  const std::string_view window = buffer.substr(0, limits_.head_bytes);
  reading_.read_lines(
      window, [this](LineReader::Line line) { return read_line(line); },
      [this, buffer] { return finish(buffer); });
  if (reading_.state == ParseState::need_more && window.size() == limits_.head_bytes)
    reading_.state = refuse(431, "head_too_large");
  return reading_.state;
}

ParseState RequestParser::read_line(LineReader::Line line) noexcept {
  if (line.state != LineReader::State::complete) {
    const ParseState state = check_beginning(line.text);
    if (state == ParseState::refused || line.state == LineReader::State::partial) return state;
    return refuse(400, line.damage);
  }
  if (!reading_.first_line_read) {
    if (line.text.empty() && reading_.lines.position() == 2) return ParseState::need_more;  // one CRLF
    return read_request_line(line.text);
  }
  if (const char* reason = append_field(line.text, head_)) return refuse(400, reason);
  if (head_.fields.size() > limits_.fields) return refuse(431, "too_many_fields");
  return ParseState::need_more;
}

ParseState RequestParser::check_beginning(std::string_view line) noexcept {
  if (line.empty()) return ParseState::need_more;
  if (reading_.first_line_read)
    return is_blank(line.front()) ? refuse(400, "obs_fold") : ParseState::need_more;
  const std::size_t length = method_length(line);
  if (length > kMethodBytes) return refuse(501, "method_too_long");
  if (length == line.size()) return ParseState::need_more;
  if (length == 0 || line[length] != ' ') return refuse(400, "bad_method");
  const std::string_view method = line.substr(0, length);
  if (method == "CONNECT") return refuse(405, "connect_method");
  if (method == "TRACE") return refuse(405, "trace_method");
  if (line.size() > length + 1 && is_blank(line[length + 1])) return refuse(400, "extra_blank");
  if (line.size() > length + 1 + limits_.target_bytes + kTailBytes)
    return refuse(414, "target_too_long");
  return ParseState::need_more;
}

ParseState RequestParser::read_request_line(std::string_view line) noexcept {
  if (check_beginning(line) == ParseState::refused) return ParseState::refused;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return refuse(400, "bad_request_line");
  const std::string_view rest = line.substr(space + 1);
  const std::size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos) return refuse(400, "no_version");
  const std::string_view version = rest.substr(target_end + 1);
  if (version.size() != kVersionBytes || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return refuse(400,
                  is_blank(version.empty() ? 'x' : version[0]) ? "extra_blank" : "bad_version");
  if (version[5] == '0') return refuse(400, "bad_version");
  if (version[5] != '1') return refuse(505, "unsupported_version");
  head_.method = line.substr(0, space);
  head_.version_minor = version[7] == '0' ? 0 : 1;
  reading_.end_first_line();
  return read_target(rest.substr(0, target_end));
}

ParseState RequestParser::read_target(std::string_view target) noexcept {
  for (const char c : target) {
    if (classes_of(c) & kTarget) continue;
    if (c == '#') return refuse(400, "fragment_in_target");
    return refuse(400, c == '\t' ? "extra_blank" : "non_ascii_target");
  }
  head_.target = target;
  if (target.starts_with('/')) return ParseState::need_more;
  if (target == "*")
    return head_.method == "OPTIONS" ? ParseState::need_more : refuse(400, "asterisk_target");
  return read_absolute_target(target);
}

ParseState RequestParser::read_absolute_target(std::string_view target) noexcept {
  const std::size_t scheme = skip_scheme(target);
  if (scheme == 0) return refuse(400, "bad_target");
  const std::string_view rest = target.substr(scheme);
  const std::size_t authority_end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos) return refuse(400, "userinfo_in_target");
  if (!is_authority(authority)) return refuse(400, "bad_target_authority");
  absolute_ = true;
  head_.authority = authority;
  if (authority_end == std::string_view::npos) {
    head_.target = head_.method == "OPTIONS" ? "*" : "/";  // RFC 9112, 3.2.4 and 3.2.1
  } else if (rest[authority_end] == '/') {
    head_.target = rest.substr(authority_end);
  } else {
    rebuilt_target_.assign(1, '/').append(rest.substr(authority_end));
    head_.target = rebuilt_target_;
  }
  return ParseState::need_more;
}

ParseState RequestParser::finish(std::string_view buffer) noexcept {
  reading_.end_head(buffer, head_);
  if (read_host() == ParseState::refused || decide_framing() == ParseState::refused ||
      read_expectations() == ParseState::refused)
    return ParseState::refused;
  if (is_answered_here(head_)) {  // where nobody reads a body
    if (head_.framing == Framing::chunked || head_.content_length > 0)
      return refuse(400, "options_body");
    head_.framing = Framing::none;
  }
  if (const char* reason = read_connection(head_, limits_.fields)) return refuse(431, reason);
  return ParseState::done;
}

ParseState RequestParser::read_host() noexcept {
  std::size_t hosts = 0;
  std::string_view host;
  for (std::size_t i = 0; i < head_.known.size(); ++i) {
    if (head_.known[i] != KnownField::host) continue;
    ++hosts;
    host = head_.fields[i].value;
  }
  if (hosts > 1) return refuse(400, "duplicate_host");
  if (head_.version_minor > 0 && hosts == 0) return refuse(400, "missing_host");
  if (head_.version_minor > 0 && host.empty()) return refuse(400, "empty_host");
  if (!host.empty() && !is_authority(host)) return refuse(400, "bad_host");
  if (!absolute_) head_.authority = host;
  return ParseState::need_more;
}

ParseState RequestParser::decide_framing() noexcept {
  if (!head_.has(KnownField::content_length) && !head_.has(KnownField::transfer_encoding))
    return ParseState::need_more;
  const FramingFields found = read_framing_fields(head_);
  if (found.encodings > 0) {
    if (found.lengths > 0) return refuse(400, "length_and_transfer_encoding");
    if (head_.version_minor == 0) return refuse(400, "transfer_encoding_in_http_1_0");
    if (found.coding_unknown) return refuse(501, "unknown_transfer_coding");
    if (!found.exactly_chunked) return refuse(400, "bad_transfer_encoding");
    head_.framing = Framing::chunked;
  } else if (found.lengths > 0) {
    if (found.lengths > 1) return refuse(400, "duplicate_content_length");
    if (!found.length_valid) return refuse(400, "bad_content_length");
    head_.framing = Framing::length;
    head_.content_length = found.length;
  }
  return ParseState::need_more;
}

ParseState RequestParser::read_expectations() noexcept {
  if (!head_.has(KnownField::expect) && !head_.has(KnownField::max_forwards))
    return ParseState::need_more;
  for (std::size_t i = 0; i < head_.known.size(); ++i) {
    const std::string_view value = head_.fields[i].value;
    if (head_.known[i] == KnownField::expect) {
      if (!equals_ignoring_case(value, "100-continue")) return refuse(417, "unknown_expectation");
      head_.expect_continue = head_.version_minor > 0;  // RFC 9110, 10.1.1
    } else if (head_.known[i] == KnownField::max_forwards && head_.method == "OPTIONS") {
      const std::optional<std::uint32_t> hops = parse_saturated(value);
      if (!hops || head_.max_forwards) return refuse(400, "bad_max_forwards");
      head_.max_forwards = hops;
    }
  }
  return ParseState::need_more;
}

ParseState RequestParser::refuse(std::uint16_t status, const char* reason) noexcept {
  refusal_ = {status, reason};
  return ParseState::refused;
}

}  // namespace segue::gateway::http1
