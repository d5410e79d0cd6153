#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/scripted_backend.hpp"
#include "tests/support/socket.hpp"

namespace segue::test {

// Clients on threads of their own that ask one request after the other until they are told to stop:
// some keep their connections, some open one for each request. Each request has a target of its own
// and is answered with that target, by echo(). Stops and joins at the end of its scope.
class SteadyLoad {
 public:
  using Connect = std::function<Socket()>;

  // A client whose kept connection ended between two exchanges sends its request again, as RFC 9110,
  // 9.2.2 allows; everything else that is no whole answer is damage.
  SteadyLoad(Connect connect, unsigned keeping, unsigned opening);
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  // Waits until every client has had this many more answers.
  void wait_for_answers_of_each(std::uint64_t count);
  void stop();

  // After stop(). What went wrong, one line each.
  std::vector<std::string> damage() const { return damage_; }
  // Requests that a kept connection ended on, between two exchanges, and that were sent again.
  std::uint64_t sent_again() const { return sent_again_.load(); }
  // Every target that was answered whole.
  const std::vector<std::string>& answered() const { return answered_; }

 private:
  enum class Kind { keeping, opening };
  void run(unsigned number, Kind kind);

  Connect connect_;
  std::atomic<bool> stop_{false};
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<std::uint64_t> sent_again_{0};
  std::mutex mutex_;
  std::vector<std::string> damage_;
  std::vector<std::string> answered_;
  std::vector<std::thread> threads_;
};

// A script that answers each request with its target, and takes a moment for it, so that some
// exchange is always under way.
void echo(BackendConnection& connection);

}  // namespace segue::test
