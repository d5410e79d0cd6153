#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue::recorder {

// What a Content-Type says (RFC 9110, 8.3.1): type in lower case without its parameters.
struct MediaType {
  std::string type;      // "application/json"; empty: there is none
  std::string charset;   // lower case
  std::string boundary;  // of multipart
};

MediaType parse_media_type(std::string_view content_type);

// One parameter of "; a=b; c=\"d\"": its name in lower case, its value without quotes.
struct MediaParameter {
  std::string name;
  std::string value;
};
std::vector<MediaParameter> parse_parameters(std::string_view parameters);

// What rules can look for in a body of that type.
enum class BodyKind : std::uint8_t {
  json,        // one document
  json_lines,  // several, in lines or records
  events,      // text/event-stream: documents may follow "data:"
  form,
  multipart,
  markup,   // text of a kind that is neither JSON nor a form: XML, CSS, scripts, CSV
  text,     // text that may be anything
  unknown,  // no type, or one that says nothing
  binary,   // images, archives and so on
};

BodyKind kind_of(const MediaType& type);

// ASCII and what begins with it: a charset in which the rules can be looked for.
bool is_ascii_like(std::string_view charset);

}  // namespace segue::recorder
