#include "routing/escapes.hpp"

#include <algorithm>

namespace segue::routing {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_form_decoded(std::string& out, std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (const auto byte = escape_at(raw, i)) {
      out.push_back(*byte);
      i += 2;
    } else {
      out.push_back(raw[i] == '+' ? ' ' : raw[i]);
    }
  }
}

bool is_plain(std::string_view raw) noexcept {
  return raw.find_first_of("%+") == std::string_view::npos;
}

bool names(std::string_view raw, std::string_view name, std::string& storage) {
  if (is_plain(raw)) return raw == name;
  storage.clear();
  append_form_decoded(storage, raw);
  return storage == name;
}

}  // namespace

bool is_path_byte(char c) noexcept {
  static constexpr std::string_view kOthers = "/%-._~!$&'()*+,;=:@";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

std::optional<char> escape_at(std::string_view text, std::size_t at) noexcept {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool has_whole_escapes(std::string_view text) noexcept {
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (!escape_at(text, at)) return false;
  }
  return true;
}

bool has_escaped_nul(std::string_view text) noexcept {
  return text.find("%00") != std::string_view::npos;
}

void append_decoded(std::string& out, std::string_view raw) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (const auto byte = escape_at(raw, i)) {
      out.push_back(*byte);
      i += 2;
    } else {
      out.push_back(raw[i]);
    }
  }
}

std::string decoded(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  append_decoded(out, raw);
  return out;
}

std::optional<std::string_view> find_query_value(std::string_view query, std::string_view name,
                                                 std::string& storage) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (pair.empty() || !names(pair.substr(0, equals), name, storage)) continue;
    const auto value =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (is_plain(value)) return value;
    storage.clear();
    append_form_decoded(storage, value);
    return storage;
  }
  return std::nullopt;
}

AbsoluteParts split_absolute(std::string_view url) noexcept {
  for (const std::string_view scheme : {"http", "https"}) {
    if (!url.starts_with(scheme) || !url.substr(scheme.size()).starts_with("://")) continue;
    const std::string_view rest = url.substr(scheme.size() + 3);
    const auto path = std::min(rest.find_first_of("/?"), rest.size());
    return {scheme, rest.substr(0, path), path == rest.size() ? "/" : rest.substr(path)};
  }
  return {{}, {}, url};
}

TargetParts split_target(std::string_view target) noexcept {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, {}};
  return {target.substr(0, mark), target.substr(mark + 1), target.substr(mark)};
}

}  // namespace segue::routing
