#include "recorder/publisher/publisher.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <cstdio>
#include <map>
#include <thread>
#include <utility>

#include "recorder/publisher/publishing_loop.hpp"
#include "recorder/publisher/status_board.hpp"
#include "recorder/publisher/wake.hpp"

namespace segue::recorder {
namespace {

void to_standard_error(const std::string& line) {
  fmt::print(stderr, "segue: {}\n", line);
}

}  // namespace

struct Publisher::State {
  State(kafka::Settings given, Journal& of, PublisherOptions options)
      : settings(std::move(given)),
        journal(of),
        board(options.log ? std::move(options.log) : to_standard_error),
        loop(settings, options.timings, board, wake, ending) {}

  void run() {
    JournalConsumer consumer(journal, kPublisherConsumer);
    consumer.on_progress([this](std::uint32_t lane, std::uint64_t lane_sequence) {
      const auto promise = promises.find(lane);
      if (promise != promises.end()) promise->second.advance(lane_sequence);
    });
    loop.run(consumer);
  }

  void end(Ending::Mode mode) {
    ending.mode.store(mode);
    wake.ring();
    if (thread.joinable()) thread.join();
  }

  const kafka::Settings settings;
  Journal& journal;
  StatusBoard board;
  Wake wake;
  Ending ending;
  std::map<std::uint32_t, Promise> promises;  // by lane; fixed once the thread runs
  PublishingLoop loop;
  std::thread thread;
};

Publisher::Publisher(kafka::Settings settings, Journal& journal, PublisherOptions options)
    : state_(std::make_unique<State>(std::move(settings), journal, std::move(options))) {}

Publisher::~Publisher() {
  state_->end(Ending::Mode::now);
}

Promise& Publisher::acknowledged(unsigned lane) {
  const auto [promise, fresh] = state_->promises.try_emplace(lane);
  if (fresh) promise->second.on_want([this_wake = &state_->wake] { this_wake->nudge(); });
  return promise->second;
}

void Publisher::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  ::pthread_setname_np(state_->thread.native_handle(), "publisher");
}

void Publisher::finish(std::chrono::milliseconds patience) {
  state_->ending.drain_until.store(
      (std::chrono::steady_clock::now() + patience).time_since_epoch().count());
  state_->end(Ending::Mode::drain);
}

PublisherStatus Publisher::status() const {
  return state_->board.copy();
}

}  // namespace segue::recorder
