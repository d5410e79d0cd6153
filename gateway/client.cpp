#include "gateway/client.hpp"

#include "gateway/http1/characters.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {
namespace {

constexpr std::chrono::milliseconds kJournalPoll{10};  // when_full: block looks again this often

}  // namespace

ClientView Client::view(const Exchange& exchange) const {
  ClientView view;
  view.address = address;
  view.tls_version = tls_version;
  view.server_name = server_name;
  view.alpn = stream.tls_protocol();
  if (trusted)
    view.forwarded_for =
        find_field(exchange.request().fields, "x-forwarded-for").value_or(std::string_view());
  return view;
}

std::string_view Client::scheme_of(const http1::RequestHead& head) const noexcept {
  if (!trusted) return scheme;
  const auto said = find_field(head.fields, "x-forwarded-proto").value_or(std::string_view());
  const std::string_view first = http1::trim_blanks(said.substr(0, said.find(',')));
  if (equals_ignoring_case(first, "https")) return "https";
  return equals_ignoring_case(first, "http") ? "http" : scheme;
}

http1::ForwardSettings Client::forwarding(const Exchange& exchange) const {
  http1::ForwardSettings forward;
  forward.via = worker.settings.via;
  forward.client_address = ip;
  forward.scheme = scheme;
  forward.trusted_peer = trusted;
  forward.underscore = listener.underscore_names;
  forward.edits = worker.edits[exchange.decision.route->index].of_request();
  return forward;
}

runtime::Task<bool> wait_for_promise(Exchange& exchange) {
  Worker& worker = exchange.worker;
  PromiseWatch* const watch = worker.promise_watch(exchange.route_index());
  if (watch == nullptr || !exchange.durable) co_return true;
  const auto patience = worker.recorder->settings(exchange.route_index()).durability_timeout;
  PromiseWatch::Kept kept(*watch, worker.recorder->last_sequence(),
                          runtime::after(runtime::coarse_now(), patience));
  exchange.durable = co_await kept;
  if (!exchange.durable) ++worker.counters.durability_timeouts;
  co_return exchange.durable;
}

runtime::Task<bool> record(Client& client, Exchange& exchange) {
  recorder::Recorder& recorder = *client.worker.recorder;
  runtime::MonotonicNs give_up = 0;
  for (;;) {
    const ExchangeView view = exchange.view(client.view(exchange));
    const auto recorded = recorder.append(view, exchange.route_index(), exchange.ticket);
    if (recorded) {
      exchange.recorded =
          *recorded == recorder::Recorded::whole || *recorded == recorder::Recorded::without_bodies;
      const auto flushed = recorder.flush();
      if (!flushed || !exchange.recorded) co_return flushed.has_value();
      co_return co_await wait_for_promise(exchange);
    }
    const auto now = runtime::coarse_now();
    if (give_up == 0) give_up = runtime::after(now, recorder.block_timeout());
    if (!recorder::Recorder::wants_wait(recorded.error()) || now >= give_up) co_return false;
    runtime::Pause pause(client.worker.core, runtime::after(now, kJournalPoll));
    co_await pause;
  }
}

void count_finished(Client& client, Exchange& exchange) {
  count_request(exchange);
  log_access(client, exchange, std::nullopt);
}

void count_request(Exchange& exchange) {
  Counters& counters = exchange.worker.counters;
  const std::size_t route = exchange.decision.route == nullptr ? counters.routes.size() - 1
                                                               : exchange.decision.route->index;
  counters.routes[route]
      .of(method_label(exchange.request().method), exchange.response.status)
      .observe(exchange.elapsed_micros());
}

void log_access(Client& client, Exchange& exchange, std::optional<LoggedBytes> bytes) {
  Worker& worker = exchange.worker;
  if (!worker.access_log) return;
  ExchangeView view = exchange.view(client.view(exchange));
  if (bytes) {
    view.request.body.size = bytes->request;
    view.response.body.size = bytes->response;
  }
  worker.access_log->add(worker.recorder->shown(view, exchange.route_index()),
                         exchange.elapsed_micros());
}

}  // namespace segue::gateway
