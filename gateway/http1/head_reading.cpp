#include "gateway/http1/field_rules.hpp"
#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {

void HeadReading::end_head(std::string_view buffer, MessageHead& head) const noexcept {
  head.bytes = lines.position();
  head.field_lines = buffer.substr(fields_begin, head.bytes - 2 - fields_begin);
}

void HeadReading::follow(const char* buffer, MessageHead& head,
                         std::initializer_list<std::string_view*> of_first_line) noexcept {
  if (base == buffer) return;
  if (base != nullptr && first_line_read) {
    rebase(head, base, lines.position(), buffer);
    for (std::string_view* const view : of_first_line)
      rebase(*view, base, lines.position(), buffer);
  }
  base = buffer;
}

}  // namespace segue::gateway::http1
