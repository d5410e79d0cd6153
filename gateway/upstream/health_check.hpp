#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "gateway/counters.hpp"
#include "gateway/http1/head_parser.hpp"
#include "gateway/notices.hpp"
#include "gateway/settings.hpp"
#include "gateway/upstream/endpoint_addresses.hpp"
#include "gateway/upstream/endpoint_health.hpp"
#include "runtime/buffer.hpp"
#include "runtime/core.hpp"
#include "runtime/pause.hpp"
#include "runtime/stream.hpp"
#include "runtime/task.hpp"

namespace segue::gateway {

// Asks one endpoint again and again whether it is well: GET `health.path` on a connection made for
// it, never one of the clients', with TLS and Host as the backend's. 2xx and 3xx are well; the body
// is read to its end, but not beyond kMostBody. All of that has `health.timeout`. An endpoint counts
// as well until `unhealthy_after` checks in a row said otherwise, and then until `healthy_after` in
// a row are good. Checks begin `health.interval` apart, up to kJitterPercent sooner or later, so
// that those of many gateways do not stay in step; the first one at once. One thread. Nothing of it
// is on record.
class HealthCheck {
 public:
  static constexpr std::size_t kMostBody = 64 << 10;  // bytes
  static constexpr int kJitterPercent = 10;

  // Everything outlives it.
  struct Means {
    runtime::Core& core;
    runtime::BufferPool& buffers;
    const BackendSettings& backend;                  // with `health`
    const EndpointSettings& endpoint;                // of it
    const ResolvedName* name;                        // null: the endpoint is no name
    const std::optional<runtime::TlsContext>& tls;   // none: plain
    http1::HeadLimits limits;                        // of an answer
    EndpointHealth& verdict;
    CheckCounts& counts;
    Notices& notices;
  };
  HealthCheck(const Means& means, std::string request, unsigned seed);

  // Until stop().
  runtime::Task<void> run();
  // run() ends soon; what is under way is cut and counts for nothing.
  void stop() noexcept;

 private:
  struct Finding {
    CheckResult result = CheckResult::passed;
    std::string why{};  // for people; with all but `passed`
  };

  runtime::Task<void> wait_until(runtime::MonotonicNs moment);
  // Nothing: it could not be made, which says nothing of the endpoint.
  runtime::Task<std::optional<Finding>> check();
  runtime::Task<boost::system::error_code> resolve(runtime::MonotonicNs expiry);
  runtime::Task<boost::system::error_code> connect(runtime::MonotonicNs expiry);
  runtime::Task<Finding> ask(runtime::MonotonicNs expiry);
  Finding late() const;
  void judge(const Finding& finding);
  void tell(std::string_view what, const std::string& why);
  std::chrono::nanoseconds interval();

  Means means_;
  const HealthSettings& settings_;
  std::string endpoint_name_;
  std::string request_;
  EndpointAddresses addresses_;
  std::minstd_rand random_;
  std::uint32_t passed_ = 0;  // in a row
  std::uint32_t failed_ = 0;  // in a row
  bool stopped_ = false;
  std::optional<runtime::Stream> stream_;  // of the check that is under way
  runtime::Pause* nap_ = nullptr;  // until the next check
};

}  // namespace segue::gateway
