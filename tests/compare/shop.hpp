#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tests/compare/family.hpp"

namespace segue::compare::test {

// A shop whose answers differ from themselves, as those of real ones do: a random id, a timestamp,
// a list in the order of a hash map, a cost that is measured, a field that is there now and then.
// What a product is depends on `n` alone.
class Shop {
 public:
  enum class Flaw : std::uint8_t {
    none,
    price,      // a product in ten has another price
    type,       // the random id is a number
    forgotten,  // one answer in a hundred lacks its currency
  };

  explicit Shop(std::uint64_t seed, Flaw flaw = Flaw::none) : random_(seed), flaw_(flaw) {}

  Answer answer(std::uint64_t n);

 private:
  std::string uuid();
  std::mt19937_64 random_;
  Flaw flaw_;
};

// Families from `first` on: primaries of `shop`, shadows of `other`, and for one in `control_every`
// a control.
std::vector<v1::Exchange> families(std::uint64_t first, std::uint64_t count, Shop& shop,
                                   Shop& other, std::uint64_t control_every);

}  // namespace segue::compare::test
