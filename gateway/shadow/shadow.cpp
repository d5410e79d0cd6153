#include "gateway/shadow/shadow.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "gateway/client.hpp"

namespace segue::gateway {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

}  // namespace

Shadow::Shadow(ShadowBudget& budget, runtime::BufferPool& pool, std::uint32_t backend)
    : budget_(budget), pool_(pool), backend_(backend) {}

Shadow::~Shadow() {
  settle(otherwise_);
  budget_.held_bytes -= held_bytes_;
  if (promised_) --budget_.counts->in_flight;
}

void Shadow::settle(ShadowResult result) noexcept {
  if (std::exchange(settled_, true)) return;
  ++budget_.counts->shadows[static_cast<std::size_t>(result)];
}

void Shadow::settle_control(ShadowResult result) noexcept {
  ++budget_.counts->controls[static_cast<std::size_t>(result)];
}

bool Shadow::hold(std::size_t bytes) noexcept {
  if (budget_.held_bytes + bytes > budget_.max_held_bytes) return false;
  budget_.held_bytes += bytes;
  held_bytes_ += bytes;
  return true;
}

std::optional<ShadowResult> Shadow::add(std::string_view bytes) noexcept {
  if (body_bytes_ + bytes.size() > settings().max_body_bytes)
    return ShadowResult::skipped_body_size;
  if (!hold(bytes.size())) return ShadowResult::skipped_in_flight;
  try {
    copy(bytes);
  } catch (const std::bad_alloc&) {  // the client's stream goes on without a copy
    return ShadowResult::skipped_in_flight;
  }
  return std::nullopt;
}

void Shadow::copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (body_.empty() || body_.back().size() == kPieceBytes) body_.emplace_back(pool_);
    runtime::Buffer& last = body_.back();
    const std::size_t now = std::min(bytes.size(), kPieceBytes - last.size());
    last.reserve(last.size() + now);
    std::memcpy(last.writable().data(), bytes.data(), now);
    last.commit(now);
    body_bytes_ += now;
    bytes.remove_prefix(now);
  }
}

std::optional<ShadowResult> Shadow::promise(std::size_t rest) noexcept {
  if (body_bytes_ + rest > settings().max_body_bytes) return ShadowResult::skipped_body_size;
  if (budget_.counts->in_flight >= budget_.max_in_flight || !hold(rest))
    return ShadowResult::skipped_in_flight;
  ++budget_.counts->in_flight;
  promised_ = true;
  otherwise_ = ShadowResult::error;
  return std::nullopt;
}

void Shadow::take(const Client& client, Exchange& exchange, std::string_view rest) {
  copy(rest);
  const Worker& worker = exchange.worker;
  const routing::Decision& decision = exchange.decision;
  const http1::RequestHead& head = exchange.request();
  parent_ = exchange.id;
  route_ = decision.route;
  bucket_ = decision.bucket;
  scheme_ = exchange.scheme;
  account_ = decision.account_id;
  owned_parameters_.reserve(decision.parameters.size());
  for (const Parameter& parameter : decision.parameters)
    owned_parameters_.emplace_back(parameter.name, parameter.value);
  for (const auto& [name, value] : owned_parameters_) parameters_.push_back({name, value});

  has_body_ = head.framing != http1::Framing::none;
  primary_backend_ = decision.backend;
  const http1::ForwardSettings forward = client.forwarding(exchange);
  ShadowHead::Parts parts{.head = head,
                          .target = decision.upstream_target,
                          .host = host_for(worker.settings.backends[backend_], head),
                          .body_bytes = std::nullopt,
                          .remove = settings().remove_headers};
  if (has_body_) parts.body_bytes = body_bytes_;
  head_.emplace(parts, forward, exchange.out);
  if (!repeated_) return;
  // The primary's backend has had every field: without them it would not answer the same.
  parts.remove = {};
  parts.host = host_for(worker.settings.backends[primary_backend_], head);
  control_head_.emplace(parts, forward, exchange.out);
}

const ShadowHead& Shadow::head(Kind kind) const noexcept {
  return kind == Kind::control ? *control_head_ : *head_;
}

std::uint32_t Shadow::backend(Kind kind) const noexcept {
  return kind == Kind::control ? primary_backend_ : backend_;
}

ExchangeView Shadow::view(Kind kind) const noexcept {
  const ShadowHead& copied = head(kind);
  ExchangeView view;
  view.kind = kind;
  view.parent_id = parent_;
  view.account_id = account_;
  view.decision.route = route_->name;
  view.decision.path_template = route_->path_template;
  view.decision.parameters = parameters_;
  view.decision.bucket = bucket_;
  view.request.head = {copied.method(), scheme_, copied.authority(), copied.target(),
                       copied.fields()};
  if (has_body_)
    view.request.body = {
        .blocks = {}, .size = body_bytes_, .capture = Capture::skipped, .reason = "as_primary"};
  return view;
}

}  // namespace segue::gateway
