#include "tests/support/patience.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace segue::test {

int Deadline::left() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(0, left.count()));
}

unsigned rounds(unsigned usual) {
  const char* text = std::getenv("SEGUE_TEST_ROUNDS");
  if (text == nullptr) return usual;
  const std::string_view digits = text;
  unsigned wanted = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
  if (error != std::errc{} || end != digits.data() + digits.size() || wanted == 0) {
    throw TestFailure("SEGUE_TEST_ROUNDS is not a number of rounds: " + std::string(digits));
  }
  return wanted;
}

void fail_with_errno(const std::string& doing) {
  throw TestFailure(doing + ": " + std::strerror(errno));
}

}  // namespace segue::test
