#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/client.hpp"
#include "gateway/counters.hpp"
#include "runtime/task_group.hpp"

namespace segue::gateway {

// What goes on between a client and a backend that agreed to speak another protocol: bytes, both
// ways, that nobody here reads. Each direction borrows one buffer while there is something in it, and
// reads no more until the other side has taken that. The end of one side's sending becomes the end of
// sending to the other. One thread; the connections outlive run().
class Tunnel {
 public:
  // `idle`: how long no byte may move in either direction; none: for ever.
  Tunnel(Client& client, runtime::Stream& backend, BackendCounts& counts,
         std::optional<std::chrono::milliseconds> idle);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel() { --counts_.tunnels_open; }

  // `held`: what the client said before the backend had agreed; stays where it is until run() is
  // over. Returns when both sides have ended their sending and all was passed on, when one of them
  // broke or takes no more, after `idle`, or soon after abort().
  runtime::Task<void> run(std::string_view held);
  // The gateway ends it.
  void abort() noexcept;

  // After run(). A client that breaks when the backend has said all that it had is no failure.
  Outcome outcome() const noexcept;
  // What becomes of the client's connection.
  Next next() const noexcept;
  std::uint64_t bytes_from_client() const noexcept { return to_backend_.bytes; }
  std::uint64_t bytes_to_client() const noexcept { return to_client_.bytes; }
  // Bytes of the backend's that went to the client together with the head of its answer.
  void passed_on(std::size_t bytes) noexcept { count(to_client_, bytes); }

 private:
  // One direction.
  struct Way {
    runtime::Stream& from;
    runtime::Stream& to;
    runtime::Buffer buffer;
    std::uint64_t& counted;       // of the backend's counts
    std::uint64_t bytes = 0;      // passed on
    bool delivering = false;      // waits for `to` to take something
    bool stalled = false;         // and `to` took nothing for `idle`
    bool ended = false;           // `from` ended its sending, and all of it was passed on
    bool broken = false;          // `from` was reset, or cannot be read any more
    bool refused_by_reset = false;  // `to` was reset: found by writing
  };

  runtime::Task<void> carry(Way& way, std::string_view held);
  runtime::Task<void> carry_all(Way& way, std::string_view held);
  // Some bytes into the buffer of `way`, which holds none; their number as Stream::read_some has it.
  runtime::Task<runtime::Transfer> receive(Way& way);
  // False: `to` takes no more, or the tunnel is over.
  runtime::Task<bool> deliver(Way& way, std::string_view bytes);
  void count(Way& way, std::size_t bytes) noexcept;
  Way& opposite(const Way& way) noexcept { return &way == &to_backend_ ? to_client_ : to_backend_; }
  runtime::MonotonicNs idle_expiry() const noexcept;
  // When to look again whether the tunnel is idle.
  runtime::MonotonicNs next_look() const noexcept;
  // `way` waited in vain: ends the tunnel, unless something moved meanwhile or may have.
  bool end_if_idle(const Way& way) noexcept;
  void cut() noexcept;

  BackendCounts& counts_;
  std::optional<std::chrono::milliseconds> idle_;
  runtime::MonotonicNs moved_at_;
  bool over_ = false;  // nothing is waited for any more
  bool aborted_ = false;
  bool timed_out_ = false;
  Way to_backend_;
  Way to_client_;
  runtime::Fork beside_;  // carries to the client; last: it uses the others
};

}  // namespace segue::gateway
