#pragma once

#include <array>
#include <cstddef>
#include <ctime>
#include <string_view>

namespace segue::gateway {

// The time as a Date field says it (RFC 9110, 5.6.7), written anew once a second. One thread.
class HttpDate {
 public:
  // "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the next call.
  std::string_view now() { return at(std::time(nullptr)); }
  std::string_view at(std::time_t second);

 private:
  std::time_t second_ = -1;  // what text_ says
  std::array<char, 40> text_{};
  std::size_t size_ = 0;
};

}  // namespace segue::gateway
