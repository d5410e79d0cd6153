#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/settings.hpp"

namespace segue::gateway {

// What looking up a name came to: addresses in the order of preference, or why there are none.
struct NameAnswer {
  boost::system::error_code error;
  std::vector<boost::asio::ip::address> addresses;
};

// What a name stands for, as far as is known. Any thread; only addresses() and failure() lock, and
// never while a lookup is under way.
class ResolvedName {
 public:
  // Changes when the addresses do. 0: there are none yet.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  struct Addresses {
    std::uint64_t version = 0;
    std::vector<boost::asio::ip::address> list;
  };
  Addresses addresses() const;

  // How the last lookup ended, no error when well; empty: none has ended yet.
  std::optional<boost::system::error_code> failure() const;
  // Lookups that failed, since the process began.
  std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

  // A lookup ended. A failure leaves the addresses as they are.
  void take(NameAnswer answer);

 private:
  mutable std::mutex mutex_;
  Addresses known_;
  std::optional<boost::system::error_code> last_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> failures_{0};
};

// Looks up the names of all endpoints for all cores, and again when an answer is older than the
// backend's `dns_refresh`: getaddrinfo(3) does not tell for how long an answer holds. Each lookup
// has a thread of its own, so that one that hangs holds up no other name (kMaxLookups are a bound,
// not a queue), no core, and not the end of the process: such a thread is left behind, with nothing
// in its hands but what it shares with this.
class NameResolver {
 public:
  using Lookup = std::function<NameAnswer(const std::string& host)>;  // any thread

  static constexpr std::size_t kMaxLookups = 32;                  // at once
  static constexpr std::chrono::milliseconds kTryAgain{1'000};  // after a failure, at most

  // getaddrinfo(3): /etc/hosts, DNS, whatever nsswitch.conf says.
  static NameAnswer ask_system(const std::string& host);

  // Lookups begin at once.
  explicit NameResolver(const std::vector<BackendSettings>& backends, Lookup lookup = ask_system);
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;
  ~NameResolver();

  // Null: the endpoint is an address or a socket, no name. Lives as long as this.
  const ResolvedName* of(std::size_t backend, std::size_t endpoint) const noexcept {
    return names_[backend][endpoint];
  }

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;  // with the threads of lookups
  std::vector<std::vector<const ResolvedName*>> names_;  // by backend, by endpoint
  std::thread clock_;                                    // begins lookups; none without names
};

// The address that `host` is, where it is one and no name.
std::optional<boost::asio::ip::address> literal_address(const std::string& host);

}  // namespace segue::gateway
