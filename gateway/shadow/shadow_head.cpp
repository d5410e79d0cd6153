#include "gateway/shadow/shadow_head.hpp"

#include <algorithm>

#include "gateway/http1/characters.hpp"

namespace segue::gateway {
namespace {

constexpr std::string_view kMark = "Segue-Shadow: 1\r\n";
constexpr std::size_t kOurOwn = 64;  // bytes of the lines that are added

// The first line of `rest` with its end, which is there: the head was written by us.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end + 1);
  rest.remove_prefix(line.size());
  return line;
}

std::string_view name_of_line(std::string_view line) {
  return line.substr(0, line.find(':'));
}

// Many servers take X_Api_Key for X-Api-Key.
bool is_same_to_servers(std::string_view left, std::string_view right) {
  const auto folded = [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(left, right, {}, folded, folded);
}

bool keeps(std::string_view name, std::span<const std::string> remove) {
  if (equals_ignoring_case(name, "expect")) return false;
  return std::ranges::none_of(
      remove, [name](const std::string& gone) { return is_same_to_servers(name, gone); });
}

bool is_of_gateway(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
  };
  return std::ranges::any_of(
      kNames, [name](std::string_view ours) { return equals_ignoring_case(name, ours); });
}

}  // namespace

ShadowHead::ShadowHead(const Parts& parts, const http1::ForwardSettings& forward,
                       http1::Gather& scratch) {
  scratch.clear();
  http1::write_request_head(parts.head, parts.target, parts.host, http1::Framing::none, forward,
                            scratch);
  std::string forwarded;
  forwarded.reserve(scratch.bytes());
  for (const iovec& piece : scratch.pieces())
    forwarded.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  scratch.clear();

  text_.reserve(forwarded.size() + kOurOwn);
  std::string_view rest = forwarded;
  text_ += take_line(rest);  // the request line
  text_ += take_line(rest);  // Host
  for (std::string_view line = take_line(rest); !rest.empty(); line = take_line(rest))
    if (keeps(name_of_line(line), parts.remove)) text_ += line;
  if (parts.body_bytes)
    text_.append("Content-Length: ").append(std::to_string(*parts.body_bytes)).append("\r\n");
  text_.append(kMark).append("\r\n");
  index(forward.edits);
}

void ShadowHead::index(const http1::HeaderEdits* edits) {
  std::string_view rest = text_;
  const std::string_view request = take_line(rest);
  const std::size_t method_end = request.find(' ');
  method_ = request.substr(0, method_end);
  target_ = request.substr(method_end + 1, request.rfind(' ') - method_end - 1);
  for (std::string_view line = take_line(rest); !rest.empty(); line = take_line(rest)) {
    const std::string_view name = name_of_line(line);
    if (is_of_gateway(name) || (edits != nullptr && edits->drops(name))) continue;
    const std::string_view value = line.substr(name.size() + 1, line.size() - name.size() - 3);
    fields_.push_back({name, http1::trim_blanks(value)});
  }
}

}  // namespace segue::gateway
