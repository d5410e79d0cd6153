#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "gateway/answers.hpp"
#include "gateway/client.hpp"
#include "gateway/listening/client_places.hpp"
#include "gateway/listening/proxy_header.hpp"
#include "gateway/listening/trusted_peers.hpp"
#include "runtime/tls.hpp"

namespace segue::gateway {

class Relay;

// Where connections come in. Everything in it outlives them.
struct Entrance {
  const ListenerSettings& settings;
  const runtime::TlsContext* tls;  // null: plain
  const TrustedPeers& trusted;
  ClientPlaces* places;  // null: no `limits.per_client`
};

// One client connection, from accept to close: reads requests one after the other and serves each.
// Lives in the frame of its task; close_if_idle() and abort() come from its worker, on the same
// thread.
class Session {
 public:
  // Who connected; no address: over a Unix socket.
  using Peer = std::optional<boost::asio::ip::tcp::endpoint>;

  // Of a connection that client().stream takes over.
  Session(Worker& worker, const Entrance& entrance, const Peer& peer);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Client& client() noexcept { return client_; }
  runtime::Task<void> run();

  // A connection that waits for another request ends; one that serves, or waits for its first
  // request, goes on.
  void close_if_idle() noexcept;
  // Cuts the connection, and whatever the exchange waits for at its backend.
  void abort() noexcept;

  std::size_t place_in_worker = 0;  // kept by the worker

 private:
  // How the body of a request is taken.
  enum class BodyPlan : std::uint8_t { none, whole, streamed };

  // What comes before the first request (session_opening.cpp): who the client is, whether it has
  // a place, TLS. False: it is no client, and has been told so if it could be.
  runtime::Task<bool> open();
  void comes_from(const Peer& peer);
  runtime::Task<bool> take_proxy_header();
  // Reads it from the socket, and nothing that follows. Null: how it was refused is counted.
  runtime::Task<std::optional<ProxyHeader>> read_proxy_header();
  runtime::Task<bool> take_place();
  runtime::Task<bool> handshake();
  // Tells a client that spoke plain HTTP what is wrong, and lets any other read why it was refused.
  runtime::Task<void> end_handshake(boost::system::error_code why);
  // Writes a whole answer to who sent no request, and counts it by its reason.
  runtime::Task<void> answer_unasked(const Refusal& refusal);
  // None: a request comes. Otherwise how the session ends.
  runtime::Task<std::optional<Next>> wait_for_request();
  runtime::Task<Next> serve(Exchange& exchange);
  // Reads until the head is complete; otherwise says how the session goes on.
  runtime::Task<std::optional<Next>> read_head(Exchange& exchange);
  runtime::Task<Next> serve_request(Exchange& exchange);
  std::optional<Refusal> decide(Exchange& exchange);
  std::optional<Refusal> check_body(const Exchange& exchange) const;
  BodyPlan plan_body(const Exchange& exchange) const noexcept;
  void make_room_for_body(Exchange& exchange);
  runtime::Task<std::optional<Refusal>> read_whole_body(Exchange& exchange);
  runtime::Task<std::optional<Refusal>> intend(Exchange& exchange);
  runtime::Task<std::optional<Refusal>> sync_intent(Exchange& exchange);
  // Whether the client sent more than was wanted of it, or has ended.
  bool has_unread() noexcept;
  runtime::Task<void> end_sending();
  runtime::Task<void> linger();

  Worker& worker_;
  const Entrance& entrance_;
  Client client_;
  std::optional<ClientKey> counted_as_;  // by `limits.per_client`; none: not counted
  ClientPlaces::Place place_;
  Relay* relay_ = nullptr;  // while an exchange is with its backend
  bool idle_ = false;
  bool lingering_ = false;  // our side has ended, what still comes is thrown away
  bool first_ = true;  // no request was served yet
};

}  // namespace segue::gateway
