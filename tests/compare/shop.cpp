#include "tests/compare/shop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace segue::compare::test {

std::string Shop::uuid() {
  const std::uint64_t high = random_();
  const std::uint64_t low = random_();
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, low >> 52, low & 0xffff'ffff'ffff);
}

Answer Shop::answer(std::uint64_t n) {
  std::array<std::uint64_t, 4> tags{n % 7, n % 7 + 10, n % 7 + 20, n % 7 + 30};
  std::ranges::shuffle(tags, random_);
  const std::uint64_t price = 100 + n % 900 + (flaw_ == Flaw::price && n % 10 == 3 ? 1 : 0);
  std::string id = fmt::format("\"{}\"", uuid());
  if (flaw_ == Flaw::type) id = std::to_string(random_() % 1'000'000);
  std::string body = fmt::format(
      "{{\"id\":{},\"at\":\"2026-11-21T{:02}:{:02}:{:02}Z\",\"product\":{{\"number\":{},\"price\":{"
      "}",
      id, random_() % 24, random_() % 60, random_() % 60, n, price);
  const bool forgets = flaw_ == Flaw::forgotten && random_() % 100 == 0;
  if (!forgets) body += ",\"currency\":\"EUR\"";
  body += fmt::format("}},\"tags\":[{}]", fmt::join(tags, ","));
  if (random_() % 20 == 0) body += ",\"offer\":true";
  body += "}";
  return {.body = body,
          .headers = {{"content-type", "application/json"},
                      {"x-cost", std::to_string(random_() % 1'000)}},
          .microseconds = 500 + static_cast<std::int64_t>(random_() % 1'000)};
}

std::vector<v1::Exchange> families(std::uint64_t first, std::uint64_t count, Shop& shop,
                                   Shop& other, std::uint64_t control_every) {
  std::vector<v1::Exchange> exchanges;
  for (std::uint64_t n = first; n < first + count; ++n) {
    exchanges.push_back(primary(n, shop.answer(n)));
    exchanges.push_back(shadow(n, other.answer(n)));
    if (n % control_every == 0) exchanges.push_back(control(n, shop.answer(n)));
  }
  return exchanges;
}

}  // namespace segue::compare::test
