#include "recorder/redaction/multipart.hpp"

#include <algorithm>
#include <string>

#include "exchange/head.hpp"
#include "recorder/redaction/decoded_text.hpp"
#include "recorder/redaction/media_type.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kLongestBoundary = 70;  // RFC 2046, 5.1.1

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool read_disposition(std::string_view value, Part& part) {
  if (!part.names.empty()) return false;
  for (const MediaParameter& parameter :
       parse_parameters(value.substr(std::min(value.find(';'), value.size())))) {
    if (parameter.name == "name*") return false;
    if (parameter.name != "name") continue;
    part.names.push_back(parameter.value);
    part.names.push_back(percent_decoded(parameter.value, Plus::literal));
  }
  if (part.names.empty()) part.names.emplace_back();
  return true;
}

bool read_field(std::string_view line, Part& part) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (line.front() == ' ' || line.front() == '\t') return false;  // a folded line
  const std::string_view name = trimmed(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-disposition")) return read_disposition(value, part);
  if (equals_ignoring_case(name, "content-type")) {
    if (!part.content_type.empty()) return false;
    part.content_type = value;
  }
  if (equals_ignoring_case(name, "content-encoding")) part.is_coded = true;
  if (equals_ignoring_case(name, "content-transfer-encoding"))
    part.is_coded |= !equals_ignoring_case(value, "binary") &&
                     !equals_ignoring_case(value, "8bit") && !equals_ignoring_case(value, "7bit");
  return true;
}

// Header lines, the empty line, content.
std::optional<Part> read_part(std::string_view text) {
  Part part;
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = text.find("\r\n", at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    if (line.find_first_of("\r\n") != std::string_view::npos || !read_field(line, part))
      return std::nullopt;
  }
  part.header = text.substr(0, at);
  part.content = text.substr(at);
  return part;
}

}  // namespace

std::optional<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary) {
  if (boundary.empty() || boundary.size() > kLongestBoundary) return std::nullopt;
  const std::string delimiter = "\r\n--" + std::string(boundary);
  if (!body.starts_with(std::string_view(delimiter).substr(2))) return std::nullopt;
  body.remove_prefix(delimiter.size() - 2);
  std::vector<Part> parts;
  while (!body.starts_with("--")) {
    if (!body.starts_with("\r\n") || parts.size() == kMostParts) return std::nullopt;
    body.remove_prefix(2);
    const std::size_t end = body.find(delimiter);
    if (end == std::string_view::npos) return std::nullopt;
    auto part = read_part(body.substr(0, end));
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
    body.remove_prefix(end + delimiter.size());
  }
  if (body != "--" && body != "--\r\n") return std::nullopt;
  return parts;
}

}  // namespace segue::recorder
