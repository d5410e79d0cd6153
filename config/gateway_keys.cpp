#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::AccessLogFormat;
using gateway::AccessLogSettings;
using gateway::DrainSettings;
using gateway::Limits;
using std::chrono::hours;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxConnections = 1'000'000;

constexpr Duration kTimeout{milliseconds{1}, hours{24}};

}  // namespace

Keys<Limits> limits_keys() {
  return {
      key<Limits>("head", &Limits::head_bytes, Size{kKiB, kMiB},
                  "of a request's head; over it 431"),
      key<Limits>("fields", &Limits::fields, Count{1, 1000}, "header fields of a request"),
      key<Limits>("target", &Limits::target_bytes, Size{16, 64 * kKiB},
                  "of a request's target; over it 414"),
      key<Limits>("body", &Limits::body_bytes, OrNone<Size>{{0, 1024 * kTiB}},
                  "of a request's body; over it 413"),
      key<Limits>("head_time", &Limits::head_time, kTimeout,
                  "from the first byte of a head to its end"),
      key<Limits>("body_idle", &Limits::body_idle, kTimeout, "between two reads of a body"),
      key<Limits>("min_rate", &Limits::min_rate_bytes, Size{0, kMiB},
                  "bytes a second that a body must bring, averaged over `body_idle`"),
      key<Limits>("send_idle", &Limits::send_idle, kTimeout,
                  "how long a client may take none of its response"),
      key<Limits>("keep_alive", &Limits::keep_alive, kTimeout, "between two requests"),
      key<Limits>("connections", &Limits::connections, Count{1, kMaxConnections},
                  "from clients, at one time"),
      key<Limits>("per_client", &Limits::per_client, OrNone<Count>{{1, kMaxConnections}},
                  "connections from one client address at one time, of the process; IPv6 by its "
                  "/64; those of `trusted_proxies` are not counted"),
  };
}

Keys<DrainSettings> drain_keys() {
  const Duration duration{milliseconds{0}, hours{24}};
  return {
      key<DrainSettings>("delay", &DrainSettings::delay, duration,
                         "after SIGTERM: `/readyz` fails, requests are still accepted"),
      key<DrainSettings>("timeout", &DrainSettings::timeout, duration,
                         "after that: what still runs is cut"),
  };
}

Keys<AccessLogSettings> access_log_keys() {
  const Choice<AccessLogFormat> formats{{{"off", AccessLogFormat::off},
                                         {"json", AccessLogFormat::json},
                                         {"combined", AccessLogFormat::combined}}};
  return {
      key<AccessLogSettings>("format", &AccessLogSettings::format, formats,
                             "one line a request, redacted as the record is; `json`, or Apache's "
                             "`combined`"),
      special_key<AccessLogSettings>(
          "path", "path, or -", "-", "a file that lines are appended to; `-` is standard output",
          [](const Place& place, Context& context, AccessLogSettings& log) {
            if (place.node.kind == yaml::Kind::scalar && place.node.text == "-")
              log.path.assign(1, '-');  // g++ 12 warns of an assigned literal
            else if (auto path = File{}.read(place, context))
              log.path = std::move(*path);
          }),
  };
}

}  // namespace segue::config
