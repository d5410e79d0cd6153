#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue::compare {

enum class Part : std::uint8_t { status, header, body };

// What differs at a path. Each kind of a field is counted on its own, so that a value that is always
// different is still looked at for its type, its presence and its pattern.
enum class DifferenceKind : std::uint8_t {
  value,      // another value of the same type
  type,       // a number where there was a string
  missing,    // left has it, right has not
  extra,      // right has it, left has not
  length,     // arrays of different length; binary bodies of different size
  order,      // the same elements in another order
  pattern,    // values differ, and are not of one shape either (a UUID became "n/a")
  malformed,  // a body that is not what its media type says; the text says why
};

// "value", "type", ...
std::string_view name_of(DifferenceKind kind) noexcept;
std::string_view name_of(Part part) noexcept;

struct Difference {
  static constexpr std::size_t kMostText = 200;  // bytes of `left` and `right` that are kept

  Part part = Part::body;
  // Where: "$.items[3].id", "/html/body/p[2]", "line 12", a header's name in lower case,
  // "set-cookie: sid; path", "trailer: checksum"; "" of a status and of a body as a whole.
  std::string path;
  // What is counted: the path with every index as [*], without numbers in markup, with `*` for
  // members whose names are data (UUIDs, dates, numbers, hexadecimal).
  std::string field;
  DifferenceKind kind = DifferenceKind::value;
  // As they were written, cut; empty on the side that has nothing.
  std::string left;
  std::string right;
};

}  // namespace segue::compare
