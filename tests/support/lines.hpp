#pragma once

#include <algorithm>
#include <string_view>

namespace segue::test {

// Calls use(line) for each line of `text`, without its end.
template <class Use>
void for_each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

}  // namespace segue::test
