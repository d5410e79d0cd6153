#include "exchange/error.hpp"

namespace segue {

std::string describe(const Error& error) {
  std::string text = error.doing;
  if (error.code) {
    if (!text.empty()) text += ": ";
    text += error.code.message();
  }
  return text;
}

}  // namespace segue
