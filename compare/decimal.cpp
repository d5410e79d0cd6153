#include "compare/decimal.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>

namespace segue::compare {
namespace {

constexpr std::size_t kMostExponentDigits = 18;

// Digits from the first to the last that is not 0, and the power of ten of the first.
class Decimal {
 public:
  explicit Decimal(std::string_view number) noexcept {
    negative_ = number.starts_with('-');
    if (negative_) number.remove_prefix(1);
    const std::size_t e = number.find_first_of("eE");
    if (e != std::string_view::npos) read_exponent(number.substr(e + 1));
    number = number.substr(0, e);
    const std::size_t point = number.find('.');
    whole_ = number.substr(0, point);
    if (point != std::string_view::npos) fraction_ = number.substr(point + 1);
    end_ = whole_.size() + fraction_.size();
    while (begin_ < end_ && digit(begin_) == '0') ++begin_;
    while (end_ > begin_ && digit(end_ - 1) == '0') --end_;
    magnitude_ =
        exponent_ + static_cast<std::int64_t>(whole_.size()) - static_cast<std::int64_t>(begin_);
  }

  bool is_zero() const noexcept { return begin_ == end_; }
  bool is_beyond() const noexcept { return beyond_; }
  bool is_below_one() const noexcept { return is_zero() || magnitude_ <= 0; }
  bool operator==(const Decimal& other) const noexcept {
    if (is_zero() || other.is_zero()) return is_zero() && other.is_zero();
    if (negative_ != other.negative_ || magnitude_ != other.magnitude_) return false;
    if (end_ - begin_ != other.end_ - other.begin_) return false;
    for (std::size_t i = 0; i < end_ - begin_; ++i)
      if (digit(begin_ + i) != other.digit(other.begin_ + i)) return false;
    return true;
  }
  std::uint64_t hash() const noexcept {
    if (is_zero()) return 0;
    auto hash = static_cast<std::uint64_t>(magnitude_) * 2 + (negative_ ? 1 : 0);
    for (std::size_t i = begin_; i < end_; ++i)
      hash = (hash ^ static_cast<unsigned char>(digit(i))) * 0x100000001b3U;
    return hash;
  }

 private:
  char digit(std::size_t at) const noexcept {
    return at < whole_.size() ? whole_[at] : fraction_[at - whole_.size()];
  }
  void read_exponent(std::string_view text) noexcept {
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
    beyond_ = text.size() > kMostExponentDigits;
    for (const char c : text.substr(0, kMostExponentDigits)) exponent_ = exponent_ * 10 + (c - '0');
    if (is_negative) exponent_ = -exponent_;
  }

  bool negative_ = false;
  bool beyond_ = false;
  std::string_view whole_;
  std::string_view fraction_;
  std::int64_t exponent_ = 0;
  std::int64_t magnitude_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

bool read(std::string_view text, long double& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range && Decimal(text).is_below_one()) {
    number = 0;
    return true;
  }
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

bool same_number(std::string_view a, std::string_view b) noexcept {
  if (a == b) return true;
  const Decimal left(a);
  const Decimal right(b);
  if (left.is_beyond() || right.is_beyond()) return left.is_zero() && right.is_zero();
  return left == right;
}

std::uint64_t hash_of_number(std::string_view number) noexcept {
  const Decimal decimal(number);
  if (decimal.is_beyond() && !decimal.is_zero()) return std::hash<std::string_view>{}(number);
  return decimal.hash();
}

bool within(std::string_view a, std::string_view b, double tolerance) noexcept {
  long double left = 0;
  long double right = 0;
  if (!read(a, left) || !read(b, right)) return false;
  // A tolerance of 0.3 is written in decimal and kept in binary, where it may be a little less.
  const long double most = tolerance;
  return std::fabs(left - right) <= most + most * std::numeric_limits<double>::epsilon();
}

}  // namespace segue::compare
