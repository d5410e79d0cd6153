#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "gateway/upstream/name_resolver.hpp"
#include "tests/support/patience.hpp"

namespace segue::gateway {

// A name service that answers what a test says, late or not at all. Any thread. Lookups that hang
// may outlive the test, hence make it shared.
class ScriptedNames : public std::enable_shared_from_this<ScriptedNames> {
 public:
  NameResolver::Lookup lookup() {
    return [self = shared_from_this()](const std::string& host) { return self->answer(host); };
  }

  void say(const std::string& host, const std::vector<std::string>& addresses) {
    NameAnswer answer;
    for (const auto& text : addresses)
      answer.addresses.push_back(boost::asio::ip::make_address(text));
    const std::lock_guard lock(mutex_);
    answers_[host] = std::move(answer);
  }
  void fail(const std::string& host, boost::system::error_code why) {
    const std::lock_guard lock(mutex_);
    answers_[host] = {why, {}};
  }
  void hang(const std::string& host) {
    const std::lock_guard lock(mutex_);
    silent_.insert(host);
  }
  // What hangs goes on, and nothing hangs any more.
  void let_go() {
    const std::lock_guard lock(mutex_);
    silent_.clear();
    changed_.notify_all();
  }

  std::size_t lookups(const std::string& host) const {
    const std::lock_guard lock(mutex_);
    const auto found = lookups_.find(host);
    return found == lookups_.end() ? 0 : found->second;
  }
  std::size_t hanging() const {
    const std::lock_guard lock(mutex_);
    return hanging_;
  }
  // All before the last one of them have ended.
  void wait_for_lookups(const std::string& host, std::size_t count) {
    wait([&] { return lookups_[host] >= count; });
  }
  void wait_for_more_lookups(const std::string& host, std::size_t count) {
    wait_for_lookups(host, lookups(host) + count);
  }
  void wait_for_hanging(std::size_t count) {
    wait([&] { return hanging_ >= count; });
  }

 private:
  NameAnswer answer(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++lookups_[host];
    changed_.notify_all();
    if (silent_.contains(host)) {
      ++hanging_;
      changed_.wait(lock, [&] { return !silent_.contains(host); });
      --hanging_;
    }
    return answers_[host];
  }
  template <class Happened>
  void wait(Happened happened) {
    const test::Deadline deadline;
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline.at(), happened))
      throw test::TestFailure("names were not looked up in time");
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, NameAnswer> answers_;
  std::set<std::string> silent_;
  std::map<std::string, std::size_t> lookups_;
  std::size_t hanging_ = 0;
};

}  // namespace segue::gateway
