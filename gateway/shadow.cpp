#include "gateway/shadow.hpp"

#include <cstring>
#include <new>

#include "gateway/client.hpp"

namespace segue::gateway {
namespace {

std::string_view host_of(const BackendSettings& backend, const http1::RequestHead& head) {
  return backend.host.empty() ? head.authority : std::string_view(backend.host);
}

}  // namespace

Shadow::Shadow(const ShadowBudget& budget, runtime::BufferPool& pool, std::uint32_t backend)
    : budget_(budget), backend_(backend), body_(pool) {
  ++budget_.counts->in_flight;
}

Shadow::~Shadow() {
  settle(otherwise_);
  --budget_.counts->in_flight;
}

void Shadow::settle(ShadowResult result) noexcept {
  if (std::exchange(settled_, true)) return;
  ++budget_.counts->shadows[static_cast<std::size_t>(result)];
}

void Shadow::settle_control(ShadowResult result) noexcept {
  ++budget_.counts->controls[static_cast<std::size_t>(result)];
}

bool Shadow::add(std::string_view bytes) noexcept {
  const std::size_t size = body_.size() + bytes.size();
  if (size > settings().max_body_bytes) return false;
  if (bytes.empty()) return true;
  try {
    body_.reserve(size);
  } catch (const std::bad_alloc&) {  // the client's stream goes on without a copy
    return false;
  }
  std::memcpy(body_.writable().data(), bytes.data(), bytes.size());
  body_.commit(bytes.size());
  return true;
}

void Shadow::take(const Client& client, Exchange& exchange) {
  const Worker& worker = exchange.worker;
  const routing::Decision& decision = exchange.decision;
  const http1::RequestHead& head = exchange.request();
  parent_ = exchange.id;
  route_ = decision.route;
  bucket_ = decision.bucket;
  scheme_ = client.scheme;
  account_ = decision.account_id;
  owned_parameters_.reserve(decision.parameters.size());
  for (const Parameter& parameter : decision.parameters)
    owned_parameters_.emplace_back(parameter.name, parameter.value);
  for (const auto& [name, value] : owned_parameters_) parameters_.push_back({name, value});

  has_body_ = head.framing != http1::Framing::none;
  primary_backend_ = decision.backend;
  const http1::ForwardSettings forward{
      .via = worker.settings.via,
      .client_address = client.ip,
      .scheme = client.scheme,
      .trusted_peer = client.trusted,
      .underscore = client.listener.underscore_names,
  };
  ShadowHead::Parts parts{.head = head,
                          .target = decision.upstream_target,
                          .host = host_of(worker.settings.backends[backend_], head),
                          .body_bytes = std::nullopt,
                          .remove = settings().remove_headers};
  if (has_body_) parts.body_bytes = body_.size();
  head_.emplace(parts, forward, exchange.out);
  if (!repeated_) return;
  // The primary's backend has had every field: without them it would not answer the same.
  parts.remove = {};
  parts.host = host_of(worker.settings.backends[primary_backend_], head);
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
        .blocks = {}, .size = body_.size(), .capture = Capture::skipped, .reason = "as_primary"};
  return view;
}

}  // namespace segue::gateway
