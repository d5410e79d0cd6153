#include "config/suggestion.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>

namespace segue::config {
namespace {

constexpr std::array<std::string_view, 4> kWords{"method", "host", "path", "prefix"};

TEST_CASE("a slip of the finger finds its word") {
  CHECK(nearest("metod", kWords) == "method");
  CHECK(nearest("mehtod", kWords) == "method");
  CHECK(nearest("Method", kWords) == "method");
  CHECK(nearest("hosts", kWords) == "host");
}

TEST_CASE("what is far from every word gets no suggestion") {
  CHECK(nearest("retries", kWords).empty());
  CHECK(nearest("", kWords).empty());
  CHECK(nearest("x", kWords).empty());
  CHECK(did_you_mean("shadow", kWords).empty());
}

}  // namespace
}  // namespace segue::config
