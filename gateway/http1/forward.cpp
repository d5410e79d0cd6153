#include "gateway/http1/forward.hpp"

#include <algorithm>
#include <array>

#include "gateway/http1/characters.hpp"
#include "gateway/http1/field_rules.hpp"

namespace segue::gateway::http1 {
namespace {

using std::string_view;

constexpr string_view kWebSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

bool starts_with(string_view text, string_view lower_prefix) noexcept {
  return equals_ignoring_case(text.substr(0, lower_prefix.size()), lower_prefix);
}

// Connection may remove only fields that mean nothing to this gateway (RFC 9110, 7.6.1, read so
// that routing, framing, identity and content cannot be nominated away).
bool may_be_nominated(KnownField known, string_view name) noexcept {
  return (known == KnownField::other || known == KnownField::underscore) && !is_vouched(name);
}

bool is_nominated(const MessageHead& head, std::size_t index) noexcept {
  const string_view name = head.fields[index].name;
  if (!may_be_nominated(head.known[index], name)) return false;
  return is_named_by_connection(head, name);
}

// A name that reads like one the gateway owns once '_' and '-' are the same, as they are to CGI.
bool is_twin(string_view name) noexcept {
  std::array<char, 32> dashed;
  const string_view beginning = name.substr(0, dashed.size());
  std::replace_copy(beginning.begin(), beginning.end(), dashed.begin(), '_', '-');
  const string_view twin{dashed.data(), beginning.size()};
  if (is_vouched(twin) || starts_with(twin, "segue-")) return true;
  return name.size() <= dashed.size() && classify(twin) != KnownField::other;
}

bool is_hop_by_hop(KnownField known) noexcept {
  switch (known) {
    case KnownField::connection:
    case KnownField::keep_alive:
    case KnownField::proxy_connection:
    case KnownField::te:
    case KnownField::upgrade:
    case KnownField::transfer_encoding:
    case KnownField::trailer:
    case KnownField::proxy_authenticate:
    case KnownField::proxy_authorization:
    case KnownField::http2_settings:
      return true;
    default:
      return false;
  }
}

// Kept field lines that follow each other in the received buffer leave as one piece.
class FieldLines {
 public:
  FieldLines(const MessageHead& head, Gather& out) : head_(head), out_(out) {}
  ~FieldLines() { flush(); }
  FieldLines(const FieldLines&) = delete;
  FieldLines& operator=(const FieldLines&) = delete;

  void keep(std::size_t index) {
    const char* const begin = head_.fields[index].name.data();
    const char* const end = index + 1 < head_.fields.size()
                                ? head_.fields[index + 1].name.data()
                                : head_.field_lines.data() + head_.field_lines.size();
    if (begin != end_) {
      flush();
      begin_ = begin;
    }
    end_ = end;
  }

 private:
  void flush() {
    if (begin_ != end_) out_.borrow({begin_, static_cast<std::size_t>(end_ - begin_)});
  }

  const MessageHead& head_;
  Gather& out_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
};

void copy_all(Gather& out, std::initializer_list<string_view> texts) {
  for (const string_view text : texts) out.copy(text);
}

// Whether a request field goes on as it came. Underscore names are decided by the caller.
bool keeps(const RequestHead& head, std::size_t index, Framing framing,
           const ForwardSettings& settings) noexcept {
  const KnownField known = head.known[index];
  switch (known) {
    case KnownField::host:
    case KnownField::segue:
    case KnownField::forwarded:
    case KnownField::x_forwarded_for:
      return false;
    case KnownField::x_forwarded_proto:
    case KnownField::x_forwarded_host:
    case KnownField::x_forwarded_other:
    case KnownField::x_real_ip:
      return settings.trusted_peer;
    case KnownField::content_length:
      return framing == Framing::length;
    case KnownField::expect:
      return head.expect_continue;
    case KnownField::max_forwards:
      return !head.max_forwards;
    default:
      return !is_hop_by_hop(known) && !(head.nominated && is_nominated(head, index));
  }
}

// The values that a trusted peer already wrote, each followed by a comma.
void copy_earlier(const RequestHead& head, KnownField wanted, Gather& out) {
  for (std::size_t i = 0; i < head.fields.size(); ++i)
    if (head.known[i] == wanted && !head.fields[i].value.empty())
      copy_all(out, {head.fields[i].value, ", "});
}

bool drops(const HeaderEdits* edits, string_view name) noexcept {
  return edits != nullptr && edits->drops(name);
}

bool silences(const HeaderEdits* edits, KnownField field) noexcept {
  return edits != nullptr && edits->silences(field);
}

// RFC 7239, 4: an IPv6 address stands in brackets and quotes, and so does a host with a port.
void write_forwarded(const RequestHead& head, const ForwardSettings& settings, Gather& out) {
  if (silences(settings.edits, KnownField::forwarded)) return;
  const string_view client = settings.client_address;
  out.copy("Forwarded: ");
  if (settings.trusted_peer) copy_earlier(head, KnownField::forwarded, out);
  if (client.empty()) {
    out.copy("for=unknown");
  } else if (client.find(':') != string_view::npos) {
    copy_all(out, {"for=\"[", client, "]\""});
  } else {
    copy_all(out, {"for=", client});
  }
  if (!head.authority.empty()) copy_all(out, {";host=\"", head.authority, "\""});
  copy_all(out, {";proto=", settings.scheme, "\r\n"});
}

void write_x_forwarded(const RequestHead& head, const ForwardSettings& settings, Gather& out) {
  // What the route removes, and what a trusted peer said and is kept.
  const auto said = [&](KnownField field) {
    return silences(settings.edits, field) || (settings.trusted_peer && head.has(field));
  };
  const string_view client =
      settings.client_address.empty() ? string_view{"unknown"} : settings.client_address;
  if (!silences(settings.edits, KnownField::x_forwarded_for)) {
    out.copy("X-Forwarded-For: ");
    if (settings.trusted_peer) copy_earlier(head, KnownField::x_forwarded_for, out);
    copy_all(out, {client, "\r\n"});
  }
  if (!said(KnownField::x_forwarded_proto))
    copy_all(out, {"X-Forwarded-Proto: ", settings.scheme, "\r\n"});
  if (!said(KnownField::x_forwarded_host) && !head.authority.empty())
    copy_all(out, {"X-Forwarded-Host: ", head.authority, "\r\n"});
}

void write_via(const MessageHead& head, string_view via, Gather& out) {
  copy_all(out, {head.version_minor == 0 ? "Via: 1.0 " : "Via: 1.1 ", via, "\r\n"});
}

// What will stand behind the chunks of what was announced (RFC 9110, 6.6.2).
void write_trailer(const MessageHead& head, const TrailerNames* allowed, Framing framing,
                   Gather& out) {
  if (allowed == nullptr || framing != Framing::chunked) return;
  string_view before = "Trailer: ";
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (head.known[i] != KnownField::trailer) continue;
    for_each_member(head.fields[i].value, [&](string_view name) {
      if (!passes_as_trailer(name, *allowed, head)) return;
      copy_all(out, {before, name});
      before = ", ";
    });
  }
  if (before == ", ") out.copy("\r\n");
}

// Decremented (RFC 9110, 7.6.2); a request that arrives with 0 is answered and never comes here.
void write_max_forwards(std::uint32_t hops, Gather& out) {
  copy_all(out, {"Max-Forwards: ", std::to_string(hops > 0 ? hops - 1 : 0), "\r\n"});
}

bool keeps(const ResponseHead& head, std::size_t index, Framing framing) noexcept {
  const KnownField known = head.known[index];
  if (known == KnownField::content_length) {
    const bool forbidden = head.status < 200 || head.status == 204;
    const auto first = std::find(head.known.begin(), head.known.end(), known);
    return !forbidden && (framing == Framing::length || framing == Framing::none) &&
           first - head.known.begin() == static_cast<std::ptrdiff_t>(index);
  }
  if (known == KnownField::segue || is_hop_by_hop(known)) return false;
  return !(head.nominated && is_nominated(head, index));
}

void write_status_line(const ResponseHead& head, Gather& out) {
  const std::array<char, 3> digits{static_cast<char>('0' + head.status / 100),
                                   static_cast<char>('0' + head.status / 10 % 10),
                                   static_cast<char>('0' + head.status % 10)};
  copy_all(out, {"HTTP/1.1 ", {digits.data(), digits.size()}, " ", head.reason, "\r\n"});
}

}  // namespace

std::uint32_t write_request_head(const RequestHead& head, string_view target, string_view host,
                                 Framing framing, const ForwardSettings& settings, Gather& out) {
  copy_all(out, {head.method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n"});
  std::uint32_t dropped = 0;
  {
    FieldLines lines(head, out);
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
      if (head.known[i] == KnownField::underscore &&
          (settings.underscore != UnderscoreNames::forward || is_twin(head.fields[i].name))) {
        ++dropped;
      } else if (keeps(head, i, framing, settings) && !drops(settings.edits, head.fields[i].name)) {
        lines.keep(i);
      }
    }
  }
  if (settings.edits != nullptr) out.borrow(settings.edits->lines(settings.scheme));
  if (framing == Framing::chunked) out.copy("Transfer-Encoding: chunked\r\n");
  write_trailer(head, settings.trailers, framing, out);
  if (settings.websocket)
    out.copy(kWebSocket);
  else if (settings.takes_trailers)
    out.copy("TE: trailers\r\nConnection: TE\r\n");
  if (head.max_forwards) write_max_forwards(*head.max_forwards, out);
  write_via(head, settings.via, out);
  write_forwarded(head, settings, out);
  write_x_forwarded(head, settings, out);
  out.copy("\r\n");
  return dropped;
}

void write_response_head(const ResponseHead& head, const ResponseForward& forward, Gather& out) {
  write_status_line(head, out);
  {
    FieldLines lines(head, out);
    for (std::size_t i = 0; i < head.fields.size(); ++i)
      if (keeps(head, i, forward.framing) && !drops(forward.edits, head.fields[i].name))
        lines.keep(i);
  }
  if (forward.edits != nullptr && (head.status >= 200 || forward.websocket))
    out.borrow(forward.edits->lines(forward.scheme));
  if (head.status >= 200) {
    if (forward.framing == Framing::chunked) out.copy("Transfer-Encoding: chunked\r\n");
    write_trailer(head, forward.trailers, forward.framing, out);
    if (!forward.date.empty() && !head.has(KnownField::date))
      copy_all(out, {"Date: ", forward.date, "\r\n"});
    if (!silences(forward.edits, KnownField::via)) write_via(head, forward.via, out);
    if (forward.close || forward.framing == Framing::until_close) {
      out.copy("Connection: close\r\n");
    } else if (forward.client_version_minor == 0) {
      out.copy("Connection: keep-alive\r\n");
    }
  } else if (forward.websocket) {
    out.copy(kWebSocket);
  }
  if (!forward.exchange_id.empty())
    copy_all(out, {"Segue-Exchange-Id: ", forward.exchange_id, "\r\n"});
  out.copy("\r\n");
}

}  // namespace segue::gateway::http1
