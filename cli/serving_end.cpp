#include "cli/serving_end.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace segue::cli {

using gateway::ListenerKind;
using gateway::ListeningSockets;
using std::chrono::milliseconds;
using Files = ListeningSockets::Files;

namespace {

constexpr milliseconds kPoll{10};
// What an idle connection gets to end: a request that crosses its end is read within it.
constexpr milliseconds kIdleEnd{2'500};

}  // namespace

// Of Unix sockets it has only those files that it made itself.
void ServingEnd::give_up() {
  leave_all(Files::removed);
  run_out_idle(parts_.gateway.settings().drain.timeout);
}

void ServingEnd::leave() {
  hand_over();
  run_out_idle(parts_.gateway.settings().drain.timeout);
}

void ServingEnd::leave_all(Files files) {
  parts_.probe.leave();
  parts_.sockets.close(ListenerKind::probe, files);
  parts_.gateway.leave(files);
}

void ServingEnd::hand_over() {
  fmt::print(stderr, "process {} takes over\n", parts_.handover->finish());
  leave_all(Files::left);
  parts_.handover->say_left();
  left_ = true;
}

void ServingEnd::drain() {
  fmt::print(stderr, "draining\n");
  gateway::Gateway& gateway = parts_.gateway;
  gateway.drain();
  const gateway::DrainSettings& limits = gateway.settings().drain;
  const auto came = parts_.signals.end_or(parts_.handover->event(), limits.delay);
  const milliseconds timeout =
      came == Signals::Came::end ? milliseconds(0) : milliseconds(limits.timeout);
  parts_.handover->pause();
  if (parts_.handover->successor()) {
    hand_over();
    return run_out_idle(timeout);
  }
  gateway.close();
  parts_.handover->resume();
  run_out(timeout);
}

void ServingEnd::close() {
  if (left_) return;
  parts_.handover->pause();
  if (parts_.handover->successor()) return hand_over();
  parts_.probe.leave();
  parts_.sockets.close(ListenerKind::probe, Files::removed);
}

// Clients may keep idle connections as long as they can; then these end as carefully as in a drain.
void ServingEnd::run_out_idle(milliseconds limit) {
  const milliseconds end = std::min(limit, kIdleEnd);
  const Waited waited = wait_for_end(limit - end);
  if (waited == Waited::done) return;
  parts_.gateway.close_idle();
  run_out(waited == Waited::hurry ? milliseconds(0) : end);
}

// What runs goes on for this long at most, or until a signal to end comes; then it is cut.
void ServingEnd::run_out(milliseconds limit) {
  if (wait_for_end(limit) == Waited::done) return;
  // Again and again: an exchange that was cut in one wait may begin another one.
  for (parts_.gateway.abort(); parts_.gateway.running() != 0; parts_.gateway.abort())
    parts_.signals.end_within(kPoll);
}

ServingEnd::Waited ServingEnd::wait_for_end(milliseconds limit) {
  const auto give_up = runtime::after(runtime::monotonic_now(), limit);
  while (parts_.gateway.running() != 0) {
    if (runtime::monotonic_now() >= give_up) return Waited::late;
    const int event = left_ ? -1 : parts_.handover->event();
    const Signals::Came came = parts_.signals.end_or(event, kPoll);
    if (came == Signals::Came::end) return Waited::hurry;
    if (came == Signals::Came::event) hand_over();
  }
  return Waited::done;
}

}  // namespace segue::cli
