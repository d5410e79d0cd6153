#include <fmt/format.h>

#include <boost/asio/error.hpp>

#include "gateway/listening/listening_socket.hpp"
#include "gateway/local_answer.hpp"
#include "gateway/session.hpp"

// What a session does before its first request.
namespace segue::gateway {
namespace {

using runtime::after;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

// Looked at while it is still in the socket: longer than any header, so that what is there is
// known to be more.
constexpr std::size_t kHeaderWindow = 2 * kMaxProxyHeader;

// To who speaks plain HTTP to a listener with TLS, and who has as many connections as it may: no
// request of theirs is read.
constexpr Refusal kPlainOnTls{400, "plain_http_on_tls",
                              "this port speaks https; the request was not encrypted"};
constexpr Refusal kTooMany{429, "too_many_connections",
                           "this client has as many connections as it may have", "per_client"};

// A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.1.
boost::asio::ip::address without_mapping(const boost::asio::ip::address& address) {
  if (address.is_v4() || !address.to_v6().is_v4_mapped()) return address;
  return make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

void Session::comes_from(const Peer& peer) {
  client_.ip.clear();
  client_.address = "unix:";
  client_.trusted = peer ? entrance_.trusted.contains(peer->address())
                         : entrance_.trusted.contains_unix();
  counted_as_.reset();
  if (!peer) return;
  const boost::asio::ip::address ip = without_mapping(peer->address());
  client_.ip = ip.to_string();
  client_.address = address_text({ip, peer->port()});
  // A proxy has the connections of many clients.
  if (!client_.trusted) counted_as_.emplace(ip);
}

Task<bool> Session::open() {
  if (entrance_.settings.proxy_protocol != ProxyProtocol::off) {
    const bool known = co_await take_proxy_header();
    if (!known) co_return false;
  }
  if (entrance_.places != nullptr && counted_as_) {
    const bool taken = co_await take_place();
    if (!taken) co_return false;
  }
  if (entrance_.tls == nullptr) co_return true;
  co_return co_await handshake();
}

// The peer is in trusted_proxies, or the listener would not have let it in: a load balancer. It
// vouches for the address that it announces, and for no field of the request that follows.
Task<bool> Session::take_proxy_header() {
  const std::optional<ProxyHeader> header = co_await read_proxy_header();
  if (!header) co_return false;
  switch (header->speaker) {
    case ProxyHeader::Speaker::sender:
      break;
    case ProxyHeader::Speaker::unknown:
      client_.trusted = false;
      break;
    case ProxyHeader::Speaker::client:
      comes_from(header->source);
      break;
  }
  co_return true;
}

Task<std::optional<ProxyHeader>> Session::read_proxy_header() {
  const MonotonicNs expiry = after(monotonic_now(), worker_.settings.limits.head_time);
  LabelCounts& refusals = worker_.counters.proxy_refusals;
  runtime::Buffer& buffer = client_.buffer;
  buffer.reserve(kHeaderWindow);
  const std::span<char> window = buffer.writable().first(kHeaderWindow);
  std::size_t seen = 0;
  for (;;) {
    const Transfer shown = co_await client_.stream.peek(window, seen, expiry);
    if (shown.ec == errors::timed_out) refusals.add("timeout");
    if (shown.ec) co_return std::nullopt;
    if (shown.bytes == seen) {  // the end; before the first byte it is a look at whether we listen
      if (seen != 0) refusals.add("unfinished");
      co_return std::nullopt;
    }
    seen = shown.bytes;
    const ProxyHeader header =
        gateway::read_proxy_header({window.data(), seen}, entrance_.settings.proxy_protocol);
    if (header.state == ProxyHeader::State::need_more) continue;
    if (header.state == ProxyHeader::State::refused) {
      refusals.add(header.reason);
      co_return std::nullopt;
    }
    const auto ec = client_.stream.take(window.first(seen), header.bytes);
    buffer.release();
    if (ec) co_return std::nullopt;
    co_return header;
  }
}

Task<bool> Session::take_place() {
  place_ = entrance_.places->take(*counted_as_, ClientPlaces::Purpose::service);
  if (place_) co_return true;
  worker_.counters.limits.add(kTooMany.limit);
  // Who would have to be told within TLS is not: the handshake is what costs most.
  if (entrance_.tls != nullptr) co_return false;
  place_ = entrance_.places->take(*counted_as_, ClientPlaces::Purpose::refusal);
  if (!place_) co_return false;
  co_await answer_unasked(kTooMany);
  co_await linger();
  co_return false;
}

Task<bool> Session::handshake() {
  const MonotonicNs expiry = after(monotonic_now(), worker_.settings.limits.head_time);
  const auto ec = co_await client_.stream.handshake(*entrance_.tls, expiry);
  if (ec) {
    ++worker_.counters.tls_handshake_failures;
    co_await end_handshake(ec);
    co_return false;
  }
  client_.scheme = "https";
  client_.tls_version = client_.stream.tls_version();
  client_.server_name = client_.stream.tls_server_name();
  co_return true;
}

Task<void> Session::end_handshake(boost::system::error_code why) {
  const bool said_something = why.category() == runtime::tls_category() ||
                              why.category() == runtime::certificate_category();
  if (!said_something) co_return;
  if (runtime::is_plain_http(why)) co_await answer_unasked(kPlainOnTls);
  co_await linger();
}

Task<void> Session::answer_unasked(const Refusal& refusal) {
  worker_.counters.refused.add(refusal.reason);
  const std::string body =
      fmt::format("{{\"error\":\"{}\",\"status\":{},\"message\":\"{}\"}}\n", refusal.reason,
                  refusal.status, refusal.message);
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: application/json\r\nSegue-Error: {}\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      refusal.status, reason_phrase(refusal.status), worker_.date.now(), refusal.reason,
      body.size(), body);
  iovec piece{text.data(), text.size()};
  const std::span<iovec> pieces(&piece, 1);
  const auto patience = std::chrono::nanoseconds(worker_.settings.limits.send_idle).count();
  co_await client_.stream.write(pieces, patience);
}

}  // namespace segue::gateway
