#include "routing/request_path.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "routing/escapes.hpp"

namespace segue::routing {
namespace {

bool is_dots(std::string_view text) noexcept { return text == "." || text == ".."; }

struct EncodedSlash {
  std::size_t at = std::string_view::npos;
};

EncodedSlash find_encoded_slash(std::string_view text) noexcept {
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (escape_at(text, at) == '/') return {at};
  }
  return {};
}

// Undoes the escapes of a segment that could spell dots; anything longer cannot.
class DotText {
 public:
  explicit DotText(std::string_view raw) noexcept {
    for (std::size_t i = 0; i < raw.size() && size_ < sizeof text_; ++i) {
      const auto byte = escape_at(raw, i);
      if (byte) i += 2;
      text_[size_++] = byte ? *byte : raw[i];
    }
  }
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[4] = {};
  std::size_t size_ = 0;
};

bool has_dot_suffix(std::string_view text) noexcept {
  const auto mark = text.find(';');
  return mark != std::string_view::npos && is_dots(text.substr(0, mark));
}

void note_quirks(std::string_view piece, std::string_view rest, PathQuirks& quirks) {
  if (piece.empty() && !rest.empty()) quirks.empty_segments = true;
  const DotText dots(piece);
  if (is_dots(piece)) {
    quirks.plain_dots = true;
  } else if (is_dots(dots.view())) {
    quirks.encoded_dots = true;
  } else if (has_dot_suffix(dots.view())) {
    quirks.dot_suffix = true;
  }
}

PathQuirks find_quirks(std::string_view raw) {
  PathQuirks quirks;
  std::string_view rest = raw;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    for (auto slash = find_encoded_slash(segment); slash.at != std::string_view::npos;
         slash = find_encoded_slash(segment)) {
      quirks.encoded_slash = true;
      note_quirks(segment.substr(0, slash.at), "/", quirks);
      segment.remove_prefix(slash.at + 3);
    }
    note_quirks(segment, rest, quirks);
  }
  return quirks;
}

bool resolves(std::string_view raw_segment, PathReading reading, std::string_view dots) noexcept {
  if (reading.dots == PathReading::Dots::kept) return false;
  const DotText undone(raw_segment);
  std::string_view text =
      reading.dots == PathReading::Dots::encoded_too ? undone.view() : raw_segment;
  if (reading.drops_dot_suffix) text = text.substr(0, text.find(';'));
  return text == dots;
}

}  // namespace

std::uint64_t segment_hash(std::string_view text) noexcept {
  return XXH3_64bits(text.data(), text.size());
}

PathFault RequestPath::read(std::string_view raw) {
  quirks_ = {};
  if (raw.empty() || raw.front() != '/') return PathFault::not_absolute;
  if (read_plain(raw)) return PathFault::none;
  if (!has_whole_escapes(raw)) return PathFault::broken_escape;
  const PathFault fault = read_as(raw, kRouted);
  quirks_ = find_quirks(raw);
  return fault;
}

// The common case in one pass: nothing to decode, nothing to resolve.
bool RequestPath::read_plain(std::string_view raw) {
  if (raw.find('%') != std::string_view::npos) return false;
  segments_.clear();
  text_ = raw;
  std::size_t begin = 1;
  for (;;) {
    const auto end = raw.find('/', begin);
    const auto segment = raw.substr(begin, end - begin);
    const bool last = end == std::string_view::npos;
    if (segment.empty() ? !last : segment.front() == '.') return false;
    segments_.push_back({segment, segment_hash(segment)});
    if (last) return true;
    begin = end + 1;
  }
}

PathFault RequestPath::read_as(std::string_view raw, PathReading reading) {
  segments_.clear();
  decoded_.clear();
  decoded_.reserve(raw.size() + 1);  // views into it stay valid: decoding never lengthens
  std::string_view rest = raw;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    if (reading.splits_encoded_slash) {
      for (auto slash = find_encoded_slash(segment); slash.at != std::string_view::npos;
           slash = find_encoded_slash(segment)) {
        if (add(segment.substr(0, slash.at), reading, "/") != PathFault::none)
          return PathFault::above_root;
        segment.remove_prefix(slash.at + 3);
      }
    }
    if (add(segment, reading, rest) != PathFault::none) return PathFault::above_root;
  }
  text_ = decoded_;
  return PathFault::none;
}

// RFC 3986, 5.2.4, but climbing above the root is a fault and not ignored.
PathFault RequestPath::add(std::string_view raw_segment, PathReading reading,
                           std::string_view rest) {
  const bool last = rest.empty();
  if (raw_segment.empty() && !last && reading.merges_slashes) return PathFault::none;
  const bool up = resolves(raw_segment, reading, "..");
  if (!up && !resolves(raw_segment, reading, ".")) {
    push(raw_segment);
    return PathFault::none;
  }
  if (up) {
    if (segments_.empty()) return PathFault::above_root;
    pop();
  }
  if (last) push({});
  return PathFault::none;
}

void RequestPath::push(std::string_view raw_segment) {
  decoded_.push_back('/');
  const auto begin = decoded_.size();
  append_decoded(decoded_, raw_segment);
  const auto text = std::string_view(decoded_).substr(begin);
  segments_.push_back({text, segment_hash(text)});
}

void RequestPath::pop() {
  decoded_.resize(decoded_.size() - segments_.back().text.size() - 1);
  segments_.pop_back();
}

std::string_view RequestPath::rest(std::size_t first) const noexcept {
  if (first >= segments_.size()) return {};
  const char* begin = segments_[first].text.data();
  const char* end = text_.data() + text_.size();
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace segue::routing
