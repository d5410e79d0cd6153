#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.hpp"
#include "gateway/counters.hpp"
#include "gateway/settings.hpp"
#include "gateway/shadow_head.hpp"
#include "routing/route_table.hpp"
#include "runtime/buffer.hpp"

namespace segue::gateway {

class Exchange;
struct Client;

// What the shadows of one route may take on one core.
struct ShadowBudget {
  const ShadowSettings* settings = nullptr;  // null: the route has no shadow
  std::uint64_t max_in_flight = 0;
  ShadowCounts* counts = nullptr;
};

// The copy that one request is to have, from the decision on. Holds a place among those in flight,
// which its end gives back, and the body as far as it came; the head follows when the primary is
// over (take()). Counts its result once: the one it was settled with, else what it stood for when
// it went. Memory is its pool's and bounded by max_body; one thread.
class Shadow {
 public:
  // Everything must outlive it.
  Shadow(const ShadowBudget& budget, runtime::BufferPool& pool, std::uint32_t backend);
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;
  ~Shadow();

  // Copies the next piece of the body. False: it is longer than max_body, or there is no memory.
  bool add(std::string_view bytes) noexcept;
  // Copies what is left of the request: nothing of client and exchange is needed afterwards.
  void take(const Client& client, Exchange& exchange);
  // From here on it has been promised on record: without a result it is an error.
  void promise() noexcept { otherwise_ = ShadowResult::error; }
  // The first result counts.
  void settle(ShadowResult result) noexcept;
  void settle_control(ShadowResult result) noexcept;
  // The same request is to go to the primary's backend once more.
  void repeat() noexcept { repeated_ = true; }
  bool repeated() const noexcept { return repeated_; }

  const ShadowSettings& settings() const noexcept { return *budget_.settings; }
  ShadowCounts& counts() const noexcept { return *budget_.counts; }
  std::string_view body() const noexcept { return body_.readable(); }
  bool has_body() const noexcept { return has_body_; }
  // Of Kind::shadow or, when it is repeated, of Kind::control.
  const ShadowHead& head(Kind kind) const noexcept;
  std::uint32_t backend(Kind kind) const noexcept;
  std::uint32_t route_index() const noexcept { return route_->index; }
  // What the record of a copy says of its primary; `response`, times and where it went are missing.
  ExchangeView view(Kind kind) const noexcept;

 private:
  ShadowBudget budget_;
  std::uint32_t backend_;
  std::uint32_t primary_backend_ = 0;
  ShadowResult otherwise_ = ShadowResult::skipped_incomplete;
  bool settled_ = false;
  bool repeated_ = false;
  bool has_body_ = false;
  runtime::Buffer body_;

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
