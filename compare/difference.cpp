#include "compare/difference.hpp"

namespace segue::compare {

std::string_view name_of(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::value:
      return "value";
    case DifferenceKind::type:
      return "type";
    case DifferenceKind::missing:
      return "missing";
    case DifferenceKind::extra:
      return "extra";
    case DifferenceKind::length:
      return "length";
    case DifferenceKind::order:
      return "order";
    case DifferenceKind::pattern:
      return "pattern";
    case DifferenceKind::malformed:
      break;
  }
  return "malformed";
}

std::string_view name_of(Part part) noexcept {
  switch (part) {
    case Part::status:
      return "status";
    case Part::header:
      return "header";
    case Part::body:
      break;
  }
  return "body";
}

}  // namespace segue::compare
