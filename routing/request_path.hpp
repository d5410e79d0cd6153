#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue::routing {

// One percent-decoded segment of a path.
struct PathSegment {
  std::string_view text;
  std::uint64_t hash = 0;  // segment_hash(text)
};

std::uint64_t segment_hash(std::string_view text) noexcept;

// How a server may read a path. Segue reads it as kRouted; the other readings are those of
// backends in the wild, and a request on which they would choose another route is refused.
struct PathReading {
  enum class Dots : std::uint8_t { kept, plain, encoded_too };
  Dots dots = Dots::encoded_too;      // which "." and ".." are resolved: ".." and also "%2e%2e"
  bool splits_encoded_slash = false;  // %2F ends a segment
  bool merges_slashes = false;        // "//" is "/"
  bool drops_dot_suffix = false;      // "..;x" is ".."
};
inline constexpr PathReading kRouted{};

// What in a raw path lets two servers read it differently.
struct PathQuirks {
  bool plain_dots = false;
  bool encoded_dots = false;
  bool encoded_slash = false;
  bool empty_segments = false;  // "//"
  bool dot_suffix = false;      // "..;"
  bool any() const noexcept {
    return plain_dots || encoded_dots || encoded_slash || empty_segments || dot_suffix;
  }
};

enum class PathFault : std::uint8_t { none, not_absolute, broken_escape, above_root };

// The segments of one path, in one reading. Reused from request to request: it allocates only
// when a path is longer than all before it. Views point into the raw path or into this object,
// until the next read(). "/" is one empty segment, "/a/" is "a" and an empty one.
class RequestPath {
 public:
  RequestPath() = default;
  RequestPath(const RequestPath&) = delete;
  RequestPath& operator=(const RequestPath&) = delete;

  // Reads the path as routing does, and notes its quirks. O(length).
  PathFault read(std::string_view raw);
  // Reads the path as another server may.
  PathFault read_as(std::string_view raw, PathReading reading);

  std::span<const PathSegment> segments() const noexcept { return segments_; }
  // The whole path, decoded, from its '/'.
  std::string_view text() const noexcept { return text_; }
  // From segment `first` to the end, slashes between; empty when there are fewer.
  std::string_view rest(std::size_t first) const noexcept;
  const PathQuirks& quirks() const noexcept { return quirks_; }

 private:
  bool read_plain(std::string_view raw);
  PathFault add(std::string_view raw_segment, PathReading reading, std::string_view rest);
  void push(std::string_view raw_segment);
  void pop();

  std::vector<PathSegment> segments_;
  std::string decoded_;
  std::string_view text_;
  PathQuirks quirks_;
};

}  // namespace segue::routing
