#include "recorder/journal/segment_pages.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kShareOfMemory = 8;  // warm takes at most one part of so many
// Every segment stays mapped: far below vm.max_map_count, and each is named after a disk error.
constexpr std::uint64_t kMostMaps = 4096;

// "max" and what is absent is no number.
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::uint64_t machine_memory(const fs::path& root) {
  std::ifstream file(root / "proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  if (file >> name >> kib && name == "MemTotal:") return kib * 1024;
  return 0;
}

// The tightest limit from the group at `path` up to the hierarchy's top. A container may see its
// host's path, which is not there, below a top that is its own.
std::uint64_t tightest_limit(const fs::path& top, std::string_view path, std::uint64_t limit) {
  for (fs::path group = top / fs::path(path).relative_path();; group = group.parent_path()) {
    for (const char* name : {"memory.max", "memory.high", "memory.limit_in_bytes"})
      limit = std::min(limit, number_in(group / name).value_or(limit));
    if (group == top || !group.has_relative_path()) return limit;
  }
}

// Lines of /proc/self/cgroup: "0::/path" (v2), "4:memory:/path" (v1).
std::uint64_t group_memory(const fs::path& root, std::uint64_t limit) {
  const fs::path groups = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view whole = line;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string_view path = whole.substr(second + 1);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (controllers == ",,") {
      limit = tightest_limit(groups, path, limit);
      limit = tightest_limit(groups / "unified", path, limit);
    } else if (controllers.find(",memory,") != std::string::npos) {
      limit = tightest_limit(groups / "memory", path, limit);
    }
  }
  return limit;
}

// A threshold of vm.<name>_bytes, or of vm.<name>_ratio when that is 0.
std::uint64_t threshold(const fs::path& root, const std::string& name, std::uint64_t memory) {
  const fs::path vm = root / "proc/sys/vm";
  if (const auto bytes = number_in(vm / (name + "_bytes")); bytes.value_or(0) > 0) return *bytes;
  return memory / 100 * number_in(vm / (name + "_ratio")).value_or(0);
}

}  // namespace

MemoryBounds memory_bounds(const fs::path& root) {
  MemoryBounds bounds;
  bounds.bytes = group_memory(root, machine_memory(root));
  // As the kernel does it: the background comes first whatever the two settings say.
  const std::uint64_t hard = threshold(root, "dirty", bounds.bytes);
  bounds.background_dirty = threshold(root, "dirty_background", bounds.bytes);
  if (bounds.background_dirty >= hard) bounds.background_dirty = hard / 2;
  return bounds;
}

SegmentPages choose_pages(SegmentPages wish, std::uint64_t max_bytes, std::uint64_t segment_bytes,
                          const MemoryBounds& bounds) noexcept {
  if (wish != SegmentPages::automatic) return wish;
  const bool fits = max_bytes <= bounds.bytes / kShareOfMemory &&
                    max_bytes <= bounds.background_dirty && max_bytes / segment_bytes <= kMostMaps;
  return fits ? SegmentPages::warm : SegmentPages::lean;
}

}  // namespace segue::recorder
