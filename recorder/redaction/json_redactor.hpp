#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/json_path.hpp"
#include "recorder/redaction/substitutes.hpp"
#include "recorder/redaction/text_search.hpp"

namespace segue::recorder {

// Hides values of JSON documents (RFC 8259) by path, and what patterns find within their strings,
// numbers and names. Bytes outside hidden values stay as they were; every duplicate of a name
// counts. A hidden value becomes a JSON string; with drop, a member goes with its comma, and an
// element or the whole document becomes null. Of a value within a hidden value only the outer rule
// counts. One thread; scratch memory is kept up to kKeptBytes of a document.
class JsonRedactor {
 public:
  static constexpr std::size_t kMostDepth = 1'024;  // the parser's default
  static constexpr std::size_t kPaddingBytes = 64;  // that can be read behind a document
  static constexpr std::size_t kKeptBytes = 1 << 20;

  JsonRedactor();
  ~JsonRedactor();

  struct Rules {
    const JsonPaths& paths;
    const TextRules& text;
  };

  // Whether the whole of `document` is one JSON value in UTF-8, nested at most kMostDepth deep.
  // kPaddingBytes behind its end can be read.
  bool is_valid(std::string_view document);

  // Appends the redacted document to `out`; it was valid. False: a pattern hits too often.
  bool redact(std::string_view document, const Rules& rules, TextSearch& search,
              Substitutes& substitutes, std::string& out);

  void trim();

 private:
  class Walk;
  struct Level {
    bool is_array;
    std::size_t states_begin;
    std::size_t states_end;
    std::uint64_t index;   // of the next element
    std::uint64_t length;  // of the array, where it is needed
    std::size_t comma;     // where in the output the last comma that stays is
  };
  struct ArrayLength {
    std::size_t at;  // of its bracket
    std::uint64_t length;
  };
  struct Parser;

  std::unique_ptr<Parser> parser_;
  std::size_t largest_ = 0;
  std::vector<Level> levels_;
  std::vector<JsonPaths::State> states_;
  std::vector<ArrayLength> arrays_;
  std::vector<std::size_t> open_arrays_;
  DecodedText name_;
};

}  // namespace segue::recorder
