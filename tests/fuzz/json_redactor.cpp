#include "recorder/redaction/json_redactor.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "recorder/redaction/route_rules.hpp"

namespace {

using namespace segue::recorder;

constexpr std::string_view kSecret = "hunter2-planted";

const RouteRules& rules() {
  static const Redactions redactions{
      .json = {{"$..password", RedactionMode::mask},
               {"$..gone", RedactionMode::drop},
               {"$[-1][0]..x", RedactionMode::drop}},
      .patterns = {{PatternKind::card, "card", "", RedactionMode::mask},
                   {PatternKind::email, "email", "", RedactionMode::drop}}};
  static const RouteRules compiled(redactions);
  return compiled;
}

// The redacted document; empty when it is not valid.
std::string redacted(std::string document) {
  static JsonRedactor redactor;
  static TextSearch search;
  Substitutes substitutes(nullptr);
  substitutes.start(rules().rules);
  substitutes.enter(1);
  const std::size_t size = document.size();
  document.append(JsonRedactor::kPaddingBytes, ' ');
  const std::string_view text = std::string_view(document).substr(0, size);
  std::string out;
  if (!redactor.is_valid(text)) return out;
  redactor.redact(text, {rules().json, rules().text()}, search, substitutes, out);
  std::string check = out;
  check.append(JsonRedactor::kPaddingBytes, ' ');
  if (!redactor.is_valid(std::string_view(check).substr(0, out.size()))) __builtin_trap();
  redactor.trim();
  return out;
}

}  // namespace

// Any bytes: what is valid stays valid. Any bytes around a secret that a path covers: it never
// shows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  redacted(text);
  if (text.find(kSecret) != std::string::npos) return 0;  // it found the word: not a planted one
  const std::string secret = "\"" + std::string(kSecret) + "\"";
  for (const std::string& planted :
       {"{\"a\":" + text + ",\"password\":" + secret + "}",
        "{\"gone\":" + secret + ",\"b\":[" + text + "]}",
        "[" + text + ",{\"pass\\u0077ord\":{\"c\":" + secret + ",\"d\":" + text + "}}]"})
    if (redacted(planted).find(kSecret) != std::string::npos) __builtin_trap();
  return 0;
}
