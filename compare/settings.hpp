#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace segue::compare {

// How the elements of an array are matched with those of the other side: by position; each with an
// equal one, wherever that stands; or by the value at `key` within each.
enum class ArrayPolicy : std::uint8_t { ordered, set, by_key };

// What values are taken as equal although they differ: two UUIDs (RFC 9562), two timestamps
// (RFC 3339, or HTTP-date), or two texts that both match a pattern.
enum class IgnoredType : std::uint8_t { none, uuid, timestamp, pattern };

// One entry of `compare.json`: how the values at a path are compared.
struct PathRule {
  std::string path;  // RFC 9535: names, indexes, `*` and `..`
  ArrayPolicy array = ArrayPolicy::ordered;
  std::string array_key;  // with by_key: "$.id", within an element
  double tolerance = 0;   // numbers that differ by no more are equal; absolute
  IgnoredType ignore = IgnoredType::none;
  std::string pattern;  // RE2, anchored at both ends, with IgnoredType::pattern
};

// `compare:` of one route, after `defaults:` were merged in.
struct RouteRules {
  std::vector<std::string> ignore_headers{};  // beside those of kIgnoredHeaders; case is ignored
  std::vector<std::string> ignore_json{};     // paths: what stands there is not compared
  std::vector<PathRule> json{};
  std::uint64_t min_pairs = 200;  // fewer pairs of a route decide nothing
};

// `live_comparison:`: how much of the shadow traffic the gateway itself compares.
struct LiveSettings {
  std::uint16_t share = 1'000;          // of shadowed exchanges, in hundredths of a percent
  std::uint64_t queue = 1'024;          // primaries that wait for their shadow; over it the oldest goes
};

}  // namespace segue::compare
