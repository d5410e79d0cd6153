#include "recorder/redaction/body_redactor.hpp"

#include <algorithm>

#include "recorder/redaction/content_coding.hpp"
#include "recorder/redaction/json_scan.hpp"
#include "recorder/redaction/multipart.hpp"
#include "recorder/utf8.hpp"

namespace segue::recorder {
namespace {

constexpr std::string_view kUnparsable = "redaction: does not parse";
constexpr std::string_view kCutShort = "redaction: not whole";
constexpr std::string_view kTooMany = "redaction: too many values";
constexpr std::string_view kCharset = "redaction: unknown charset";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view reason_of(Decoding decoding) {
  switch (decoding) {
    case Decoding::done:
      return {};
    case Decoding::unknown:
      return "redaction: unknown content coding";
    case Decoding::too_long:
      return "redaction: decoded too long";
    case Decoding::damaged:
      break;
  }
  return "redaction: content coding damaged";
}

bool looks_like_json(std::string_view text) {
  const std::size_t at = json::skip_blanks(text, 0);
  return at < text.size() && (text[at] == '{' || text[at] == '[');
}

// What was cut may end within a character.
std::string_view without_half_character(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && text.size() - end < 3 &&
         (static_cast<unsigned char>(text[end - 1]) & 0xc0) == 0x80)
    --end;
  if (end > 0 && (static_cast<unsigned char>(text[end - 1]) & 0x80) != 0) --end;
  return text.substr(0, end);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Where to end what was cut, so that no half of a hidden value stays.
std::size_t end_before_tail(std::string_view text, const std::vector<Hit>& hits) {
  std::size_t end = text.size() - std::min(text.size(), BodyRedactor::kTailBytes);
  const std::size_t lowest = end - std::min(end, BodyRedactor::kLongestToken);
  while (end > lowest && !is_blank(text[end - 1])) --end;
  for (bool moved = true; moved;) {
    moved = false;
    for (const Hit& hit : hits) {
      if (hit.begin >= end || hit.end <= end) continue;
      end = hit.begin;
      moved = true;
    }
  }
  return end;
}

}  // namespace

RedactedBody BodyRedactor::redact(const BodyView& body, const BodyDescription& description,
                                  const Rules& rules, Substitutes& substitutes,
                                  std::string& content) {
  const bool is_empty =
      std::ranges::all_of(body.blocks, [](std::string_view block) { return block.empty(); });
  if (!rules.any() || is_empty) return {};
  substitutes_ = &substitutes;
  RedactedBody redacted;
  redacted.coding_undone = has_coding(description.content_encoding);
  const bool is_whole = body.capture == Capture::complete;
  if (redacted.coding_undone) {
    redacted.reason =
        is_whole ? reason_of(undo_codings(description.content_encoding, body.blocks, input_))
                 : kCutShort;
  } else {
    input_.clear();
    for (const std::string_view block : body.blocks) input_ += block;
  }
  content.clear();
  const std::size_t size = input_.size();
  if (redacted.reason.empty()) {
    input_.append(JsonRedactor::kPaddingBytes, ' ');
    std::string_view text = std::string_view(input_).substr(0, size);
    if (text.starts_with(kByteOrderMark)) {
      content += kByteOrderMark;
      text.remove_prefix(kByteOrderMark.size());
    }
    const Input input{text, parse_media_type(description.content_type), is_whole, Place::body};
    redacted.reason = redact_input(input, rules, content);
    redacted.is_opaque = is_opaque(input);
  }
  if (!redacted.reason.empty()) {
    redacted.fate = RedactedBody::Fate::dropped;
    redacted.coding_undone = false;
  } else {
    const bool same = content == std::string_view(input_).substr(0, size);
    redacted.fate = same ? RedactedBody::Fate::untouched : RedactedBody::Fate::replaced;
    if (same) redacted.coding_undone = false;
  }
  trim();
  return redacted;
}

// Images, archives and so on, but for those that are text after all.
bool BodyRedactor::is_opaque(const Input& input) {
  return kind_of(input.media) == BodyKind::binary &&
         !is_utf8(input.is_whole ? input.text : without_half_character(input.text));
}

// By its declared kind; JSON is also looked for where it may stand without being declared. What
// says nothing of its kind is searched as text, in UTF-8 or not: the patterns work on octets.
BodyRedactor::Reason BodyRedactor::redact_input(const Input& input, const Rules& rules,
                                                std::string& out) {
  if (is_opaque(input)) {
    out += input.text;
    return {};
  }
  BodyKind kind = kind_of(input.media);
  if (kind == BodyKind::binary) kind = BodyKind::unknown;
  if (!is_ascii_like(input.media.charset)) return kCharset;

  const bool may_be_json = kind == BodyKind::form || kind == BodyKind::markup ||
                           kind == BodyKind::text || kind == BodyKind::unknown;
  if (!may_be_json || !looks_like_json(input.text)) return redact_known(input, kind, rules, out);
  if (input.is_whole && json_.is_valid(input.text)) return redact_json(input.text, rules, out);
  const bool is_elsewhere = kind == BodyKind::markup || (kind == BodyKind::form && input.is_whole);
  if (!rules.json.empty() && !is_elsewhere) return input.is_whole ? kUnparsable : kCutShort;
  return redact_known(input, kind, rules, out);
}

BodyRedactor::Reason BodyRedactor::redact_known(const Input& input, BodyKind kind,
                                                const Rules& rules, std::string& out) {
  switch (kind) {
    case BodyKind::json:
      if (input.is_whole && json_.is_valid(input.text)) return redact_json(input.text, rules, out);
      if (!rules.json.empty()) return input.is_whole ? kUnparsable : kCutShort;
      return redact_text(input, rules, Parameters::none, out);
    case BodyKind::json_lines:
    case BodyKind::events:
      if (!input.is_whole && !rules.json.empty()) return kCutShort;
      return input.is_whole ? redact_json_lines(input, kind, rules, out)
                            : redact_text(input, rules, Parameters::none, out);
    case BodyKind::form:
      if (!input.is_whole && !rules.text.form.empty()) return kCutShort;
      return redact_text(input, rules, Parameters::form, out);
    case BodyKind::multipart:
      if (input.place == Place::part) return kUnparsable;
      if (input.is_whole) return redact_multipart(input, rules, out);
      return rules.json.empty() && rules.text.form.empty()
                 ? redact_text(input, rules, Parameters::none, out)
                 : kCutShort;
    case BodyKind::text:
    case BodyKind::unknown:
      return redact_text(input, rules,
                         input.place == Place::body ? Parameters::text : Parameters::none, out);
    case BodyKind::markup:
    case BodyKind::binary:
      break;
  }
  return redact_text(input, rules, Parameters::none, out);
}

BodyRedactor::Reason BodyRedactor::redact_json(std::string_view text, const Rules& rules,
                                               std::string& out) {
  const bool kept = json_.redact(text, {rules.json, rules.text}, search_, *substitutes_, out);
  return kept ? Reason{} : kTooMany;
}

// Lines (JSON Lines, events) and records that begin with RS (RFC 7464).
BodyRedactor::Reason BodyRedactor::redact_json_lines(const Input& input, BodyKind kind,
                                                     const Rules& rules, std::string& out) {
  constexpr std::string_view kEnds = "\n\r\x1e";
  std::string_view rest = input.text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(kEnds), rest.size());
    if (const Reason reason = redact_line(rest.substr(0, end), kind, rules, out); !reason.empty())
      return reason;
    const std::size_t next = std::min(end + 1, rest.size());
    out += rest.substr(end, next - end);
    rest.remove_prefix(next);
  }
  return {};
}

BodyRedactor::Reason BodyRedactor::redact_line(std::string_view line, BodyKind kind,
                                               const Rules& rules, std::string& out) {
  constexpr std::string_view kData = "data:";
  if (kind == BodyKind::events && line.starts_with(kData)) {
    out += kData;
    line.remove_prefix(kData.size());
  }
  const bool is_json = kind == BodyKind::json_lines ? json::skip_blanks(line, 0) < line.size()
                                                    : looks_like_json(line);
  if (is_json && json_.is_valid(line)) return redact_json(line, rules, out);
  if (is_json && !rules.json.empty()) return kUnparsable;
  const Input input{line, {}, true, Place::part};
  return redact_text(input, rules, Parameters::none, out);
}

BodyRedactor::Reason BodyRedactor::redact_multipart(const Input& input, const Rules& rules,
                                                    std::string& out) {
  const auto parts = parse_multipart(input.text, input.media.boundary);
  if (!parts) return kUnparsable;
  for (const Part& part : *parts) {
    int rule = ParameterRules::kNone;
    for (const std::string& name : part.names)
      if (rule == ParameterRules::kNone) rule = rules.text.form.match(name);
    if (rule != ParameterRules::kNone && rules.text.form.drops(rule)) {
      substitutes_->note(static_cast<RuleIndex>(rule));
      continue;
    }
    out += "--" + input.media.boundary + "\r\n";
    const Input header{part.header, {}, true, Place::part};
    if (const Reason reason = redact_text(header, rules, Parameters::none, out); !reason.empty())
      return reason;
    if (rule != ParameterRules::kNone) {
      substitutes_->put(static_cast<RuleIndex>(rule), part.content, part.content, SealedForm::text,
                        out);
    } else {
      if (part.is_coded) return kUnparsable;
      if (const Reason reason = redact_part(part.content, part.content_type, rules, out);
          !reason.empty())
        return reason;
    }
    out += "\r\n";
  }
  out += "--" + input.media.boundary + "--";
  if (input.text.ends_with("\r\n")) out += "\r\n";
  return {};
}

// A part without a type is text (RFC 7578, 4.4), as unknown content is treated in any case.
BodyRedactor::Reason BodyRedactor::redact_part(std::string_view content,
                                               const std::string& content_type, const Rules& rules,
                                               std::string& out) {
  return redact_input({content, parse_media_type(content_type), true, Place::part}, rules, out);
}

BodyRedactor::Reason BodyRedactor::redact_text(const Input& input, const Rules& rules,
                                               Parameters parameters, std::string& out) {
  const bool kept = search_.find(input.text, rules.text, parameters);
  if (!kept) return kTooMany;
  replace_hits(input, rules.text.patterns.empty() ? Tail::stays : Tail::goes, out);
  return {};
}

void BodyRedactor::replace_hits(const Input& input, Tail tail, std::string& out) {
  std::string_view text = input.text;
  auto& hits = search_.hits();
  if (!input.is_whole && tail == Tail::goes) {
    const std::size_t end = end_before_tail(text, hits);
    std::erase_if(hits, [end](const Hit& hit) { return hit.begin >= end; });
    text = text.substr(0, end);
  }
  substitutes_->replace(text, hits, out);
}

void BodyRedactor::trim() {
  json_.trim();
  search_.trim();
  if (input_.capacity() > DecodedText::kKeptBytes) input_ = {};
}

}  // namespace segue::recorder
