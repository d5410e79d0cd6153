#include "gateway/http_date.hpp"

namespace segue::gateway {

std::string_view HttpDate::at(std::time_t second) {
  if (second != second_) {
    std::tm utc{};
    gmtime_r(&second, &utc);
    size_ = std::strftime(text_.data(), text_.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    second_ = second;
  }
  return {text_.data(), size_};
}

}  // namespace segue::gateway
