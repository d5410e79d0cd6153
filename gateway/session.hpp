#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "gateway/answers.hpp"
#include "gateway/client.hpp"
#include "runtime/tls.hpp"

namespace segue::gateway {

class Relay;

// One client connection, from accept to close: reads requests one after the other and serves each.
// Lives in the frame of its task; close_if_idle() and abort() come from its worker, on the same
// thread.
class Session {
 public:
  // Takes over the accepted descriptor. `tls` may be null; it and the listener outlive the session.
  Session(Worker& worker, const ListenerSettings& listener, const runtime::TlsContext* tls);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Client& client() noexcept { return client_; }
  runtime::Task<void> run();

  // A connection that waits for a request closes; one that serves goes on.
  void close_if_idle() noexcept;
  // Cuts the connection, and whatever the exchange waits for at its backend.
  void abort() noexcept;

  std::size_t place_in_worker = 0;  // kept by the worker

 private:
  // How the body of a request is taken.
  enum class BodyPlan : std::uint8_t { none, whole, streamed };

  runtime::Task<bool> handshake();
  // Tells a client that spoke plain HTTP what is wrong, and lets any other read why it was refused.
  runtime::Task<void> end_handshake(boost::system::error_code why);
  // False: no further request comes.
  runtime::Task<bool> wait_for_request();
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
  runtime::Task<void> linger();

  Worker& worker_;
  const runtime::TlsContext* tls_;
  Client client_;
  Relay* relay_ = nullptr;  // while an exchange is with its backend
  bool idle_ = false;
  bool first_ = true;  // no request was served yet
};

}  // namespace segue::gateway
