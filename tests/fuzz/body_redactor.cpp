#include "recorder/redaction/body_redactor.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "recorder/redaction/route_rules.hpp"

namespace {

using namespace segue;
using namespace segue::recorder;

constexpr std::string_view kSecret = "tok_hunterplanted";
constexpr std::array<std::string_view, 7> kTypes{"",
                                                 "application/x-www-form-urlencoded",
                                                 "multipart/form-data; boundary=b",
                                                 "text/plain",
                                                 "application/x-ndjson",
                                                 "text/event-stream",
                                                 "application/json"};

// What is on record of `text`, told to be of this type.
std::string recorded(const std::string& text, std::string_view type, Capture capture) {
  static const Redactions redactions{
      .json = {{"$..token", RedactionMode::mask}},
      .form = {{"token", RedactionMode::mask}, {"gone", RedactionMode::drop}},
      .patterns = {{PatternKind::regex, "tok", "tok_[a-z]+", RedactionMode::mask}}};
  static const RouteRules rules(redactions);
  static BodyRedactor redactor;
  Substitutes substitutes(nullptr);
  substitutes.start(rules.rules);
  substitutes.enter(1);
  const std::array<std::string_view, 2> blocks{std::string_view(text).substr(0, text.size() / 2),
                                               std::string_view(text).substr(text.size() / 2)};
  std::string content;
  const RedactedBody body = redactor.redact({blocks, text.size(), capture, {}}, {type, ""},
                                            {rules.json, rules.text()}, substitutes, content);
  if (body.fate == RedactedBody::Fate::untouched) return text;
  return body.fate == RedactedBody::Fate::replaced ? content : "";
}

}  // namespace

// The first byte chooses type and capture; the rest stands before and behind a secret that a rule
// covers: it never shows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view type = kTypes[data[0] % kTypes.size()];
  const Capture capture = data[0] >= 0x80 ? Capture::truncated : Capture::complete;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  recorded(text, type, capture);
  if (text.find(kSecret) != std::string::npos) return 0;  // it found the word: not a planted one
  const bool is_text = type.starts_with("text/") || type == kTypes[1];
  if (is_text && recorded(text + std::string(kSecret) + " " + text, type, capture).find(kSecret) !=
                     std::string::npos)
    __builtin_trap();
  const std::string part = "--b\r\nContent-Disposition: form-data; name=token\r\n\r\n" +
                           std::string(kSecret) + "\r\n--b--\r\n";
  const std::string parts = "--b\r\n" + text + "\r\n" + part;
  if (recorded(parts, kTypes[2], capture).find(kSecret) != std::string::npos) __builtin_trap();
  return 0;
}
