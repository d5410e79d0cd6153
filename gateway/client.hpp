#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/exchange.hpp"
#include "gateway/exchange.hpp"
#include "gateway/settings.hpp"
#include "gateway/worker.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stream.hpp"

namespace segue::gateway {

// The client's end of a session: its connection, what was received on it, who it is.
struct Client {
  Client(Worker& w, const ListenerSettings& l)
      : worker(w), listener(l), stream(w.core), buffer(w.buffers) {}

  // `exchange` says whether the client named others before it.
  ClientView view(const Exchange& exchange) const;
  // How the client reached us: what a trusted proxy says of it (the first value of its
  // X-Forwarded-Proto), else what this connection is. Static text.
  std::string_view scheme_of(const http1::RequestHead& head) const noexcept;
  // What a backend is told of the client, and what the route changes of its request.
  http1::ForwardSettings forwarding(const Exchange& exchange) const;

  Worker& worker;
  const ListenerSettings& listener;
  runtime::Stream stream;
  runtime::Buffer buffer;
  std::string address;   // "192.0.2.1:4711"; "unix:" without one
  std::string ip;        // "192.0.2.1"; empty: none
  bool trusted = false;  // is in trusted_proxies
  std::string_view scheme = "http";
  std::string tls_version;
  std::string server_name;
};

// The Host that a backend is sent.
inline std::string_view host_for(const BackendSettings& backend, const http1::RequestHead& head) {
  return backend.host.empty() ? head.authority : std::string_view(backend.host);
}

// What a session does after an exchange.
enum class Next : std::uint8_t {
  keep_alive,
  close,
  linger,  // the client may still be sending: shut our side, read a while, then close
  reset,   // what the client got is not whole, and it must notice
};

// Puts the exchange on record as it stands, waiting where `when_full: block` says so and for what
// the route's `durability` promises. False: the answer must not be completed; `exchange.recorded`
// and `exchange.durable` say what is missing.
runtime::Task<bool> record(Client& client, Exchange& exchange);

// Waits until what was appended last is as durable as the route asks for; at once where that is
// the journal. False: not within `durability_timeout`; the exchange does not wait again.
runtime::Task<bool> wait_for_promise(Exchange& exchange);

// Counts a finished exchange by route, method and status, and puts it into the access log.
void count_finished(Client& client, Exchange& exchange);
// The two apart, for an answer that is only the beginning: the log has the sizes at its end.
void count_request(Exchange& exchange);
struct LoggedBytes {
  std::uint64_t request = 0;
  std::uint64_t response = 0;
};
void log_access(Client& client, Exchange& exchange, std::optional<LoggedBytes> bytes);

}  // namespace segue::gateway
