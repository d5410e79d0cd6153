#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/head.hpp"
#include "gateway/http1/line_reader.hpp"

namespace segue::gateway::http1 {

// Fields that the gateway itself acts on, told apart once, by the parser.
enum class KnownField : std::uint8_t {
  other,
  // Hop-by-hop: never forwarded.
  connection,
  keep_alive,
  proxy_connection,
  te,
  upgrade,
  transfer_encoding,
  trailer,
  proxy_authenticate,
  proxy_authorization,
  http2_settings,
  // Framing, routing and what the gateway says of itself.
  content_length,
  host,
  expect,
  via,
  max_forwards,
  forwarded,
  x_forwarded_for,
  x_forwarded_proto,
  x_forwarded_host,
  x_forwarded_other,  // any other name that starts with "X-Forwarded-"
  x_real_ip,
  // End-to-end, and out of reach of a nomination.
  authorization,
  cookie,
  set_cookie,
  date,
  server,
  content_type,
  content_encoding,
  segue,       // any name that starts with "Segue-"
  underscore,  // any other name with an underscore in it
};

// `name` is a token (RFC 9110, 5.6.2), in any case.
KnownField classify(std::string_view name) noexcept;

// How the end of a body is found (RFC 9112, 6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

// Why a head is not accepted: the status to answer and the value of the metric label `reason`
// (static text, snake_case, e.g. "duplicate_content_length").
struct Refusal {
  std::uint16_t status;
  const char* reason;
};

struct HeadLimits {
  std::size_t head_bytes = 32 << 10;   // whole head with its end; 431
  std::size_t fields = 100;            // 431
  std::size_t target_bytes = 8 << 10;  // 414
};

// What both heads have in common. Views point into the buffer given to parse().
struct MessageHead {
  std::vector<Field> fields;  // every field as it came; same indexes as `known`
  std::vector<KnownField> known;
  std::uint64_t seen = 0;        // bit per KnownField that came at least once
  std::string_view field_lines;  // the bytes of all field lines, the last CRLF included
  std::uint8_t version_minor = 1;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  // Framing::length only
  bool keep_alive = true;            // as the peer asked (Connection, version)
  bool nominated = false;            // Connection names fields beside close and keep-alive
  bool upgrade = false;              // has an Upgrade field nominated by Connection
  std::size_t bytes = 0;             // of the head in the buffer, a skipped leading CRLF included

  bool has(KnownField field) const noexcept {
    return (seen >> static_cast<unsigned>(field) & 1) != 0;
  }
};

struct RequestHead : MessageHead {
  std::string_view method;
  std::string_view target;     // origin-form or "*", as it will be forwarded (absolute-form undone)
  std::string_view authority;  // of an absolute-form target, else of Host; may be empty in 1.0
  bool expect_continue = false;
  std::optional<std::uint32_t> max_forwards;
};

struct ResponseHead : MessageHead {
  std::uint16_t status = 0;
  std::string_view reason;
  std::optional<std::uint32_t> keep_alive_seconds;  // Keep-Alive: timeout=N
};

// For `underscore_names: refuse`.
inline bool has_underscore_name(const MessageHead& head) noexcept {
  return head.has(KnownField::underscore);
}

enum class ParseState : std::uint8_t { need_more, done, refused };

// How far the head of one message has been read: what both parsers keep from call to call.
struct HeadReading {
  LineReader lines;
  ParseState state = ParseState::need_more;
  bool first_line_read = false;
  const char* base = nullptr;    // where the buffer was at the last call
  std::size_t fields_begin = 0;  // behind the first line

  void end_first_line() noexcept {
    first_line_read = true;
    fields_begin = lines.position();
  }
  // The empty line was read: all of the head is in `buffer`.
  void end_head(std::string_view buffer, MessageHead& head) const noexcept;
  // The buffer is at `buffer` now: what viewed it where it was views it there. `of_first_line`: the
  // views that the head has beside its fields.
  void follow(const char* buffer, MessageHead& head,
              std::initializer_list<std::string_view*> of_first_line) noexcept;
  // Reads the lines that are in `window`: the empty one behind the fields by `finish`, any other one
  // by `read_line`. Both say how it goes on.
  template <class ReadLine, class Finish>
  void read_lines(std::string_view window, ReadLine&& read_line, Finish&& finish) noexcept {
    LineReader::Line line;
    do {
      line = lines.next(window);
      const bool is_end =
          line.text.empty() && first_line_read && line.state == LineReader::State::complete;
      state = is_end ? finish() : read_line(line);
    } while (state == ParseState::need_more && line.state == LineReader::State::complete);
  }
};

// Strict request head parser: RFC 9110 and 9112, with the stricter reading where peers differ;
// docs/http.md lists every case. Framing is decided here, on the raw field list.
// Reused from exchange to exchange: its vectors keep their capacity.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits) : limits_(limits) {}
  RequestParser(const RequestParser&) = delete;  // head() may point into the parser
  RequestParser& operator=(const RequestParser&) = delete;

  // `buffer` holds everything received since the end of the message before; between calls it may
  // only grow, and may move while the answer is need_more. Damage is reported as soon as it is
  // visible, without waiting for the end of the head, and the same damage is found however the
  // bytes were cut. After `done`, head() is valid until the buffer moves or reset(). After
  // `refused`, head() holds what had been read: method and target when the request line was good.
  // Further calls repeat the answer until reset().
  ParseState parse(std::string_view buffer) noexcept;
  void reset() noexcept;

  const RequestHead& head() const noexcept { return head_; }
  Refusal refusal() const noexcept { return refusal_; }

 private:
  ParseState read_line(LineReader::Line line) noexcept;
  ParseState read_request_line(std::string_view line) noexcept;
  ParseState read_target(std::string_view target) noexcept;
  ParseState read_absolute_target(std::string_view target) noexcept;
  // What can be told from the beginning of a line: a longer beginning gives the same answer.
  ParseState check_beginning(std::string_view line) noexcept;
  ParseState finish(std::string_view buffer) noexcept;
  ParseState read_host() noexcept;
  ParseState decide_framing() noexcept;
  ParseState read_expectations() noexcept;
  ParseState refuse(std::uint16_t status, const char* reason) noexcept;

  HeadLimits limits_;
  HeadReading reading_;
  bool absolute_ = false;  // the target was in absolute-form
  std::string rebuilt_target_;  // "/?query" of an absolute-form target without a path
  RequestHead head_;
  Refusal refusal_{400, "malformed"};
};

// The same for what an upstream answers. A refusal here is a 502 whatever its status says.
class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits) : limits_(limits) {}
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // `request_method` decides whether a body follows (HEAD; RFC 9112, 6.3). 1xx heads are parsed
  // like others, with Framing::none. `buffer` as for the RequestParser.
  ParseState parse(std::string_view buffer, std::string_view request_method) noexcept;
  void reset() noexcept;

  const ResponseHead& head() const noexcept { return head_; }
  Refusal refusal() const noexcept { return refusal_; }

 private:
  ParseState read_line(LineReader::Line line) noexcept;
  ParseState read_status_line(std::string_view line) noexcept;
  ParseState check_beginning(std::string_view line) noexcept;
  ParseState finish(std::string_view buffer, std::string_view request_method) noexcept;
  ParseState decide_framing(std::string_view request_method) noexcept;
  ParseState refuse(const char* reason) noexcept;

  HeadLimits limits_;
  HeadReading reading_;
  ResponseHead head_;
  Refusal refusal_{502, "malformed"};
};

}  // namespace segue::gateway::http1
