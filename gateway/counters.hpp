#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace segue::gateway {

// Request durations; bucket bounds of OpenTelemetry's http.server.request.duration, in
// microseconds. The last bucket is everything above.
struct DurationHistogram {
  static constexpr std::array<std::int64_t, 14> kBounds = {
      5'000,   10'000,  25'000,    50'000,    75'000,    100'000,   250'000,
      500'000, 750'000, 1'000'000, 2'500'000, 5'000'000, 7'500'000, 10'000'000};

  void observe(std::int64_t micros) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && micros > kBounds[bucket]) ++bucket;
    ++buckets[bucket];
    ++count;
    sum_micros += micros;
  }
  void merge(const DurationHistogram& other) noexcept {
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    count += other.count;
    sum_micros += other.sum_micros;
  }

  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  std::uint64_t count = 0;
  std::int64_t sum_micros = 0;
};

// Counts by a label that is static text. A handful of labels: found by pointer, then by content.
class LabelCounts {
 public:
  struct Entry {
    const char* label;
    std::uint64_t count;
  };
  void add(const char* label, std::uint64_t count = 1) {
    for (Entry& entry : entries_)
      if (entry.label == label || std::string_view(entry.label) == label) {
        entry.count += count;
        return;
      }
    entries_.push_back({label, count});
  }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  void merge(const LabelCounts& other) {
    for (const Entry& entry : other.entries_) add(entry.label, entry.count);
  }

 private:
  std::vector<Entry> entries_;
};

// Methods that metrics tell apart; all others are _OTHER.
const char* method_label(std::string_view method) noexcept;

// Finished requests of one route, by method and status.
class RequestCounts {
 public:
  struct Entry {
    const char* method;  // of method_label(): compared by pointer
    std::uint16_t status;
    DurationHistogram duration;
  };
  DurationHistogram& of(const char* method, std::uint16_t status) {
    for (Entry& entry : entries_)
      if (entry.method == method && entry.status == status) return entry.duration;
    entries_.push_back({method, status, {}});
    return entries_.back().duration;
  }
  const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  std::vector<Entry> entries_;
};

// What one backend did for one core.
struct BackendCounts {
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t reused = 0;
  std::uint64_t stale_retries = 0;  // requests sent again after a stale pooled connection
  std::uint64_t retries_connected = 0;       // tries after a failure to connect
  std::uint64_t retries_failed = 0;          // of these
  std::uint64_t retry_budget_exhausted = 0;  // tries that were not made
  std::uint64_t discarded = 0;      // connections closed because their framing was in doubt
  std::uint64_t unavailable = 0;    // requests sent although no endpoint was available
  std::uint64_t open = 0;           // gauge
  std::uint64_t idle = 0;           // gauge
  std::uint64_t pending = 0;        // gauge: requests waiting for a connection
  std::uint64_t tunnels = 0;
  std::uint64_t tunnels_open = 0;  // gauge
  std::uint64_t tunnel_bytes_from_client = 0;
  std::uint64_t tunnel_bytes_to_client = 0;
  RequestCounts requests;
};

// Why a route's fallback got a request in the place of the backend that was chosen.
enum class FallbackReason : std::uint8_t {
  unreachable,  // no connection
  unhealthy,    // none was tried: no endpoint of it is available
};
inline constexpr std::size_t kFallbackReasons = 2;
// "unreachable", "unhealthy": static text.
const char* name_of(FallbackReason reason) noexcept;

// What became of one active check of an endpoint.
enum class CheckResult : std::uint8_t {
  passed,
  status,  // not 2xx or 3xx
  timeout,
  unreachable,  // no connection, TLS included
  broken,       // no answer, or none that is valid HTTP/1.1
};
inline constexpr std::size_t kCheckResults = 5;
const char* name_of(CheckResult result) noexcept;
using CheckCounts = std::array<std::uint64_t, kCheckResults>;

// What became of the shadow of a request: each request of a route that shadows ends in exactly one.
enum class ShadowResult : std::uint8_t {
  sent,  // and answered
  timeout,
  error,
  skipped_method,
  skipped_sampling,
  skipped_same_backend,
  skipped_in_flight,
  skipped_body_size,
  skipped_incomplete,
  skipped_draining,
  skipped_upgrade,
  skipped_journal,     // it has so little room left that the copy would not be recorded
  skipped_unrecorded,  // the journal had no room for the primary: no record says so
};
inline constexpr std::size_t kShadowResults = 13;
// "sent", "skipped_method", ...: static text, in the record and in metrics.
const char* name_of(ShadowResult result) noexcept;

// The shadows of one route.
struct ShadowCounts {
  std::array<std::uint64_t, kShadowResults> shadows{};   // by ShadowResult
  std::array<std::uint64_t, kShadowResults> controls{};  // the same for those sent once more
  std::uint64_t in_flight = 0;  // gauge: promised, under way, or repeated as a control
  DurationHistogram duration;          // answered ones: connection ready to last byte
  DurationHistogram primary_duration;  // the same of the requests that these copied
};

// Everything one core counts: plain numbers, written by the core and copied out by a message to
// it, never read across threads.
struct Counters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;  // gauge
  std::uint64_t active_requests = 0;   // gauge
  std::uint64_t tls_handshake_failures = 0;
  std::uint64_t path_confusion = 0;
  std::uint64_t underscore_dropped = 0;
  std::uint64_t trailers_dropped = 0;
  std::uint64_t client_aborts = 0;
  std::uint64_t unrecorded_resets = 0;  // answers cut because they could not be recorded
  std::uint64_t durability_timeouts = 0;  // waits for disk or Kafka that were in vain
  std::uint64_t accept_pauses = 0;
  std::uint64_t tasks_failed = 0;
  std::uint64_t captures_cut = 0;
  LabelCounts refused;                // requests the gateway answered itself, by reason
  LabelCounts limits;                 // of those, the ones over a limit, by the limit's key
  LabelCounts proxy_refusals;         // connections closed for their PROXY protocol header
  std::vector<RequestCounts> routes;  // by route index; the last one is _unmatched
  std::vector<std::array<std::uint64_t, 2>> splits;  // by route index: to legacy, to new
  std::vector<std::array<std::uint64_t, kFallbackReasons>> fallbacks;  // by route index
  std::vector<BackendCounts> backends;
  std::vector<std::vector<CheckCounts>> checks;  // by backend, by endpoint
  std::vector<ShadowCounts> shadows;           // by route index; empty: no route has a shadow
  std::vector<BackendCounts> shadow_backends;  // by backend index; empty as well
};

}  // namespace segue::gateway
