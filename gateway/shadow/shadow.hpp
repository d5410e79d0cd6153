#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.hpp"
#include "gateway/counters.hpp"
#include "gateway/settings.hpp"
#include "gateway/shadow/shadow_head.hpp"
#include "routing/route_table.hpp"
#include "runtime/buffer.hpp"

namespace segue::gateway {

class Exchange;
struct Client;

// What the shadows of one route may take on one core, and what they have taken of it.
struct ShadowBudget {
  const ShadowSettings* settings = nullptr;  // null: the route has no shadow
  std::uint64_t max_in_flight = 0;
  std::uint64_t max_held_bytes = 0;  // of request bodies, also of those not promised yet
  std::uint64_t held_bytes = 0;
  ShadowCounts* counts = nullptr;
};

// The copy that one request is to have, from the decision on. Until its primary's answer is there
// it holds the body as far as that came, and nothing else: whoever only sends or receives slowly
// keeps nobody's copy away. Then promise() takes a place among those in flight, which its end gives
// back; rest and head follow when the primary is over (take()). Counts its result once: the one it
// was settled with, else what it stood for when it went. Memory is its pool's and bounded by
// max_body; one thread.
class Shadow {
 public:
  // Everything must outlive it.
  Shadow(ShadowBudget& budget, runtime::BufferPool& pool, std::uint32_t backend);
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;
  ~Shadow();

  // Copies the next piece of the body; otherwise says why there is to be no shadow.
  std::optional<ShadowResult> add(std::string_view bytes) noexcept;
  // Takes a place, and room for the `rest` of the body: from here on the shadow is promised on
  // record, and without a result it is an error. Otherwise says why there is to be none.
  std::optional<ShadowResult> promise(std::size_t rest) noexcept;
  // Copies what is left of the request: nothing of client and exchange is needed afterwards.
  void take(const Client& client, Exchange& exchange, std::string_view rest);
  // Microseconds from a connection ready to the last byte.
  void primary_took(std::int64_t micros) noexcept { primary_micros_ = micros; }
  std::int64_t primary_micros() const noexcept { return primary_micros_; }
  // The first result counts.
  void settle(ShadowResult result) noexcept;
  void settle_control(ShadowResult result) noexcept;
  // The same request is to go to the primary's backend once more.
  void repeat() noexcept { repeated_ = true; }
  bool repeated() const noexcept { return repeated_; }

  const ShadowSettings& settings() const noexcept { return *budget_.settings; }
  ShadowCounts& counts() const noexcept { return *budget_.counts; }
  const std::list<runtime::Buffer>& body() const noexcept { return body_; }
  bool has_body() const noexcept { return has_body_; }
  // Of Kind::shadow or, when it is repeated, of Kind::control.
  const ShadowHead& head(Kind kind) const noexcept;
  std::uint32_t backend(Kind kind) const noexcept;
  std::uint32_t route_index() const noexcept { return route_->index; }
  // What the record of a copy says of its primary; `response`, times and where it went are missing.
  ExchangeView view(Kind kind) const noexcept;

 private:
  bool hold(std::size_t bytes) noexcept;  // false: the route's bodies have taken all they may
  void copy(std::string_view bytes);

  ShadowBudget& budget_;
  runtime::BufferPool& pool_;
  std::uint32_t backend_;
  std::uint32_t primary_backend_ = 0;
  ShadowResult otherwise_ = ShadowResult::skipped_incomplete;
  bool promised_ = false;
  bool settled_ = false;
  bool repeated_ = false;
  bool has_body_ = false;
  std::list<runtime::Buffer> body_;  // pieces, so that none is moved as it grows
  std::size_t body_bytes_ = 0;
  std::size_t held_bytes_ = 0;
  std::int64_t primary_micros_ = 0;

  ExchangeId parent_;
  const routing::Route* route_ = nullptr;
  std::int32_t bucket_ = -1;
  std::string_view scheme_;  // static text
  std::string account_;
  std::vector<std::pair<std::string, std::string>> owned_parameters_;
  std::vector<Parameter> parameters_;
  std::optional<ShadowHead> head_;
  std::optional<ShadowHead> control_head_;
};

}  // namespace segue::gateway
