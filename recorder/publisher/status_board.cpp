#include "recorder/publisher/status_board.hpp"

#include <fmt/format.h>

#include <utility>

namespace segue::recorder {

StatusBoard::StatusBoard(std::function<void(const std::string&)> log) : log_(std::move(log)) {}

void StatusBoard::publishing(const std::string& where) {
  trouble_.reset();
  if (draft_.state == PublisherStatus::State::publishing) return;
  draft_.state = PublisherStatus::State::publishing;
  draft_.reason.clear();
  show();
  if (log_) log_(fmt::format("kafka: publishing to {}", where));
}

void StatusBoard::hindered(PublisherStatus::State state, FailureKind kind,
                           const std::string& reason) {
  const bool is_news = draft_.state != state || trouble_ != kind;
  trouble_ = kind;
  draft_.state = state;
  draft_.reason = reason;
  show();
  if (!is_news || !log_) return;
  const bool halted = state == PublisherStatus::State::halted;
  log_(fmt::format("kafka: {}, the journal keeps what is not published: {}",
                   halted ? "halted" : "waiting", reason));
}

void StatusBoard::show() {
  const std::lock_guard lock(mutex_);
  shown_ = draft_;
}

PublisherStatus StatusBoard::copy() const {
  const std::lock_guard lock(mutex_);
  return shown_;
}

}  // namespace segue::recorder
