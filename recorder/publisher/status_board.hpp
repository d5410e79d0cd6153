#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "recorder/publisher/failure.hpp"
#include "recorder/publisher/publisher.hpp"

namespace segue::recorder {

// What is known of the publisher: drafted by its thread, copied by any. A change of state, or of
// the kind of its reason, is one line in the log; a reason that only gets other words is none.
class StatusBoard {
 public:
  explicit StatusBoard(std::function<void(const std::string&)> log);

  // The publisher's thread.
  PublisherStatus& draft() noexcept { return draft_; }
  void publishing(const std::string& where);
  void hindered(PublisherStatus::State state, FailureKind kind, const std::string& reason);
  void count(FailureKind kind) { ++draft_.errors[name(kind)]; }
  // Whether something failed and is not known to be better, and what.
  std::optional<FailureKind> trouble() const noexcept { return trouble_; }
  // Shows the draft to the others; states are shown at once.
  void show();

  // Any thread.
  PublisherStatus copy() const;

 private:
  PublisherStatus draft_;
  std::optional<FailureKind> trouble_;
  const std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  PublisherStatus shown_;
};

}  // namespace segue::recorder
