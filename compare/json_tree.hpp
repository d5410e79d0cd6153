#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compare/tree.hpp"

namespace segue::compare {

// Makes trees of JSON (RFC 8259). Strict: what is not JSON is malformed, down to the last number.
// Numbers of any length and names that occur twice stay as they are; a byte order mark is passed
// over; half a surrogate pair that a string's escapes name is three bytes (WTF-8).
//
// Keeps its memory; a tree is valid until the next call.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;

  TreeMade read(std::string_view body, Tree& tree);
  // One document in each line (or record, RFC 7464): an array of them.
  TreeMade read_lines(std::string_view body, Tree& tree);

  std::size_t held() const noexcept;  // bytes of memory, about

  // Of the last body that was malformed, static text.
  std::string_view problem() const noexcept { return problem_; }

 private:
  struct Parser;
  class Walk;
  TreeMade read_document(std::size_t begin, std::size_t end, Tree& tree);
  std::string_view fill(std::string_view body);

  std::unique_ptr<Parser> parser_;
  std::vector<char> padded_;
  std::string_view problem_;
};

}  // namespace segue::compare
