#include "gateway/exchange.hpp"

namespace segue::gateway {
namespace {

http1::HeadLimits head_limits(const Limits& limits) {
  return {limits.head_bytes, limits.fields, limits.target_bytes};
}

}  // namespace

Exchange::Exchange(Worker& w)
    : worker(w),
      request_parser(head_limits(w.settings.limits)),
      // A backend may not send a longer head than a client may.
      response_parser(head_limits(w.settings.limits)),
      request_body(w.captures),
      response_body(w.captures) {}

void Exchange::begin() {
  request_parser.reset();
  response_parser.reset();
  decision = {};
  request_body.reset();
  response_body.reset();
  ticket = {};
  out.clear();
  pieces.clear();
  request_trailers.clear();
  response_trailers.clear();
  id = {};
  outcome = Outcome::completed;
  refusal = {};
  timing = {};
  response = {};
  endpoint.clear();
  fallback_from = {};
  interim.clear();
  failed_.clear();
  shadow.reset();
  shadow_note = {};
  recorded = false;
  durable = true;
}

void Exchange::head_received(std::int64_t unix_micros, runtime::MonotonicNs now) {
  created_at = unix_micros;
  started = now;
  id = worker.ids.next(unix_micros);
}

void Exchange::attempt_failed(std::string_view at_endpoint, std::string error) {
  failed_.push_back({std::string(at_endpoint), std::move(error), elapsed_micros()});
}

void Exchange::skip_shadow(ShadowResult why) noexcept {
  shadow->settle(why);
  shadow.reset();
  shadow_note = name_of(why);
}

ExchangeView Exchange::view(const ClientView& client) {
  ExchangeView view;
  view.id = id;
  view.created_at = created_at;
  view.outcome = outcome;
  view.refusal = refusal;
  view.account_id = decision.account_id;
  view.client = client;
  view.timing = timing;

  const http1::RequestHead& head = request();
  view.request.head = {head.method, scheme, head.authority, head.target, head.fields};
  view.request.version_minor = head.version_minor;
  view.request.trailers = request_trailers.fields();
  view.request.body = request_body.view();
  view.response = response;
  view.response.interim = interim;
  view.response.body = response_body.view();

  if (decision.route != nullptr) {
    view.decision.route = decision.route->name;
    view.decision.path_template = decision.route->path_template;
    view.decision.parameters = decision.parameters;
    view.decision.endpoint = endpoint;
    view.decision.fallback_from = fallback_from;
    view.decision.bucket = decision.bucket;
    view.decision.shadow = shadow_note;
  }
  if (decision.route != nullptr && decision.action == routing::RouteAction::forward) {
    const BackendSettings& backend = worker.settings.backends[decision.backend];
    view.decision.backend = backend.name;
    view.decision.role = backend.role;
  }
  inputs_.clear();
  for (const std::string& name : worker.routes->decision_headers())
    if (const auto value = find_field(head.fields, name)) inputs_.push_back({name, *value});
  view.decision.inputs = inputs_;

  attempts_.clear();
  for (const FailedAttempt& failed : failed_)
    attempts_.push_back({failed.endpoint, failed.error, failed.at});
  // A status alone may be of our own answer.
  if (timing.first_byte != Timing::kNever && !attempts_.empty())
    attempts_.push_back({endpoint, {}, timing.connect});
  view.attempts = attempts_;
  return view;
}

}  // namespace segue::gateway
