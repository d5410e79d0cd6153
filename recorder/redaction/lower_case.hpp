#pragma once

#include <string>
#include <string_view>

namespace segue::recorder {

// ASCII letters in lower case, everything else as it is: names of headers and media types.
inline std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return lowered;
}

}  // namespace segue::recorder
