#include "recorder/redaction/media_type.hpp"

#include <algorithm>
#include <array>

#include "recorder/redaction/lower_case.hpp"

namespace segue::recorder {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The quoted string at the start of `text`, which is moved past it.
std::string take_quoted(std::string_view& text) {
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return value;
}

bool is_one_of(std::string_view type, auto const& types) {
  return std::ranges::find(types, type) != types.end();
}

constexpr std::array<std::string_view, 3> kJson{"application/json", "text/json",
                                                "application/x-json"};
constexpr std::array<std::string_view, 7> kJsonLines{
    "application/x-ndjson",   "application/ndjson",      "application/jsonl",
    "application/json-lines", "application/x-jsonlines", "application/json-seq",
    "application/stream+json"};
constexpr std::array<std::string_view, 12> kMarkup{"application/xml",
                                                   "application/javascript",
                                                   "application/ecmascript",
                                                   "application/x-javascript",
                                                   "application/yaml",
                                                   "application/x-yaml",
                                                   "text/css",
                                                   "text/csv",
                                                   "text/javascript",
                                                   "text/xml",
                                                   "text/yaml",
                                                   "text/calendar"};
constexpr std::array<std::string_view, 14> kBinary{
    "application/pdf",          "application/zip",         "application/gzip",
    "application/x-gzip",       "application/x-tar",       "application/x-protobuf",
    "application/protobuf",     "application/wasm",        "application/msgpack",
    "application/grpc",         "application/cbor",        "application/x-7z-compressed",
    "application/vnd.ms-excel", "application/java-archive"};

}  // namespace

std::vector<MediaParameter> parse_parameters(std::string_view text) {
  std::vector<MediaParameter> parameters;
  for (;;) {
    const std::size_t start = text.find_first_not_of("; \t");
    if (start == std::string_view::npos) return parameters;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of("=;"), text.size());
    MediaParameter parameter{lower_case(trimmed(text.substr(0, end))), {}};
    text.remove_prefix(end);
    if (text.starts_with('=')) {
      text = trimmed(text.substr(1));
      if (text.starts_with('"')) {
        parameter.value = take_quoted(text);
      } else {
        parameter.value = trimmed(text.substr(0, text.find(';')));
      }
      text.remove_prefix(std::min(text.find(';'), text.size()));
    }
    parameters.push_back(std::move(parameter));
  }
}

MediaType parse_media_type(std::string_view content_type) {
  MediaType media;
  const std::size_t end = std::min(content_type.find(';'), content_type.size());
  media.type = lower_case(trimmed(content_type.substr(0, end)));
  for (MediaParameter& parameter : parse_parameters(content_type.substr(end))) {
    if (parameter.name == "charset") media.charset = lower_case(parameter.value);
    if (parameter.name == "boundary") media.boundary = std::move(parameter.value);
  }
  return media;
}

BodyKind kind_of(const MediaType& media) {
  const std::string_view type = media.type;
  if (is_one_of(type, kJsonLines)) return BodyKind::json_lines;
  if (is_one_of(type, kJson) || type.ends_with("+json")) return BodyKind::json;
  if (type == "application/x-www-form-urlencoded") return BodyKind::form;
  if (type.starts_with("multipart/")) return BodyKind::multipart;
  if (type == "text/event-stream") return BodyKind::events;
  if (is_one_of(type, kMarkup) || type.ends_with("+xml")) return BodyKind::markup;
  if (type.starts_with("text/")) return BodyKind::text;
  for (const std::string_view family : {"image/", "audio/", "video/", "font/"})
    if (type.starts_with(family)) return BodyKind::binary;
  if (is_one_of(type, kBinary) || type.starts_with("application/grpc")) return BodyKind::binary;
  return BodyKind::unknown;
}

bool is_ascii_like(std::string_view charset) {
  if (charset.empty() || charset == "ascii" || charset == "us-ascii") return true;
  for (const std::string_view family : {"utf-8", "utf8", "iso-8859-", "windows-125", "latin"})
    if (charset.starts_with(family)) return true;
  return false;
}

}  // namespace segue::recorder
