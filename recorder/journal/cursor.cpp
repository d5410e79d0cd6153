#include "recorder/journal/cursor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string_view>

#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/storage.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCursorVersion = 1;
constexpr std::size_t kMaxCursorBytes = 1 << 20;
constexpr std::size_t kCursorBlock = 4 << 10;

fs::path cursor_path(const fs::path& run, const std::string& consumer) {
  return run / "cursors" / (consumer + ".json");
}

// Reads the JSON that store_cursor() writes, white space aside; anything else is refused.
class CursorText {
 public:
  explicit CursorText(std::string_view text) : rest_(text) {}

  bool take(std::string_view token) noexcept {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  template <class Number>
  std::optional<Number> number() noexcept {
    skip_space();
    Number value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  bool at_end() noexcept {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() noexcept {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t' ||
                              rest_[0] == '\r'))
      rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

std::optional<Cursor> parse_cursor(std::string_view text) {
  CursorText in(text);
  if (!in.take("{") || !in.take("\"format_version\"") || !in.take(":")) return std::nullopt;
  if (in.number<std::uint64_t>() != kCursorVersion) return std::nullopt;
  if (!in.take(",") || !in.take("\"lanes\"") || !in.take(":") || !in.take("{"))
    return std::nullopt;
  Cursor cursor;
  if (!in.take("}")) {
    do {
      if (!in.take("\"")) return std::nullopt;
      const auto lane = in.number<std::uint32_t>();
      if (!lane || !in.take("\"") || !in.take(":")) return std::nullopt;
      const auto position = in.number<std::uint64_t>();
      if (!position) return std::nullopt;
      cursor.lanes[*lane] = *position;
    } while (in.take(","));
    if (!in.take("}")) return std::nullopt;
  }
  if (!in.take("}") || !in.at_end()) return std::nullopt;
  return cursor;
}

}  // namespace

std::uint64_t Cursor::position(std::uint32_t lane) const noexcept {
  const auto found = lanes.find(lane);
  return found == lanes.end() ? 0 : found->second;
}

Result<void> store_cursor(const fs::path& run, const std::string& consumer, const Cursor& cursor,
                          Sync sync) {
  return store_cursor_file(cursor_path(run, consumer), cursor, sync);
}

Result<void> store_cursor_file(const fs::path& path, const Cursor& cursor, Sync sync) {
  std::string text = fmt::format("{{\"format_version\":{},\"lanes\":{{", kCursorVersion);
  const char* separator = "";
  for (const auto& [lane, position] : cursor.lanes) {
    fmt::format_to(std::back_inserter(text), "{}\"{}\":{}", separator, lane, position);
    separator = ",";
  }
  text += "}}\n";
  return replace_file(path, text, sync);
}

Result<Cursor> load_cursor(const fs::path& run, const std::string& consumer) {
  auto cursor = load_cursor_file(cursor_path(run, consumer));
  if (!cursor && cursor.error().code.value() == ENOENT) return Cursor{};
  return cursor;
}

// A keeper that waits for room reads them many times a second.
Result<Cursor> load_cursor_file(const fs::path& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return storage_error(errno, "reading a cursor");
  std::string text;
  for (std::size_t filled = 0;;) {
    text.resize(filled + kCursorBlock);
    const ssize_t got = ::pread(file.get(), text.data() + filled, kCursorBlock,
                                static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return storage_error(errno, "reading a cursor");
    text.resize(filled += static_cast<std::size_t>(got));
    if (got == 0 || filled > kMaxCursorBytes) break;
  }
  auto cursor = parse_cursor(text);
  if (!cursor) return storage_error(EBADMSG, "reading a cursor");
  return std::move(*cursor);
}

Result<Cursor> fastest_cursor(const fs::path& run) {
  Cursor fastest;
  std::error_code error;
  fs::directory_iterator at(run / "cursors", error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (at->path().extension() != ".json") continue;
    const auto cursor = load_cursor_file(at->path());
    if (!cursor) {
      const int code = cursor.error().code.value();
      if (code == EBADMSG || code == ENOENT) continue;
      return cursor.error();
    }
    for (const auto& [lane, position] : cursor->lanes)
      fastest.lanes[lane] = std::max(fastest.lanes[lane], position);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return storage_error(error.value(), "reading the cursors of a run");
  return fastest;
}

Cursor slowest_cursor(const fs::path& run, const std::vector<std::string>& consumers,
                      const std::vector<std::uint32_t>& lanes) {
  Cursor slowest;
  for (const std::uint32_t lane : lanes) slowest.lanes[lane] = UINT64_MAX;
  for (const std::string& consumer : consumers) {
    auto cursor = load_cursor(run, consumer);
    for (auto& [lane, position] : slowest.lanes)
      position = std::min(position, cursor ? cursor->position(lane) : 0);
  }
  return slowest;
}

}  // namespace segue::recorder
