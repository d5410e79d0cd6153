#pragma once

#include <string>
#include <string_view>

#include "exchange/exchange.hpp"
#include "recorder/redaction/json_redactor.hpp"
#include "recorder/redaction/media_type.hpp"
#include "recorder/redaction/substitutes.hpp"
#include "recorder/redaction/text_search.hpp"

namespace segue::recorder {

// What a body is, as its header fields say.
struct BodyDescription {
  std::string_view content_type;
  std::string_view content_encoding;  // all fields, with commas between them
};

// What became of a body.
struct RedactedBody {
  enum class Fate : std::uint8_t {
    untouched,  // it is recorded as it came
    replaced,   // `content` takes its place
    dropped,    // it is SKIPPED, with `reason`
  };
  Fate fate = Fate::untouched;
  std::string_view reason;  // static text
  bool coding_undone = false;
  bool is_opaque = false;  // no rule looks into its kind: neither here nor behind where it was cut
};

// Hides in one body what JSON, form and pattern rules cover. What they may cover and cannot be read
// is dropped with the reason, never kept as it came. docs/redaction.md says which rule looks into
// which body. One thread; scratch memory is kept up to a mebibyte.
class BodyRedactor {
 public:
  static constexpr std::size_t kTailBytes = 64;        // dropped of what was cut, and then ...
  static constexpr std::size_t kLongestToken = 1'024;  // ... back to the last blank, at most so far

  struct Rules {
    const JsonPaths& json;
    TextRules text;

    bool any() const noexcept {
      return !json.empty() || !text.form.empty() || !text.patterns.empty();
    }
  };

  // With `replaced`, `content` is filled. The substitutes know the part.
  RedactedBody redact(const BodyView& body, const BodyDescription& description, const Rules& rules,
                      Substitutes& substitutes, std::string& content);

 private:
  // Static text: why a body is dropped; empty: it is not.
  using Reason = std::string_view;
  enum class Place : std::uint8_t { body, part };
  enum class Tail : std::uint8_t { stays, goes };
  struct Input {
    std::string_view text;  // JsonRedactor::kPaddingBytes can be read behind it
    MediaType media;
    bool is_whole;
    Place place;
  };

  static bool is_opaque(const Input& input);
  Reason redact_input(const Input& input, const Rules& rules, std::string& out);
  Reason redact_known(const Input& input, BodyKind kind, const Rules& rules, std::string& out);
  Reason redact_json(std::string_view text, const Rules& rules, std::string& out);
  Reason redact_json_lines(const Input& input, BodyKind kind, const Rules& rules, std::string& out);
  Reason redact_line(std::string_view line, BodyKind kind, const Rules& rules, std::string& out);
  Reason redact_multipart(const Input& input, const Rules& rules, std::string& out);
  Reason redact_part(std::string_view content, const std::string& content_type, const Rules& rules,
                     std::string& out);
  Reason redact_text(const Input& input, const Rules& rules, Parameters parameters,
                     std::string& out);
  void replace_hits(const Input& input, Tail tail, std::string& out);
  void trim();

  Substitutes* substitutes_ = nullptr;
  JsonRedactor json_;
  TextSearch search_;
  std::string input_;
};

}  // namespace segue::recorder
