#include "gateway/http_date.hpp"

#include <catch2/catch_test_macros.hpp>

namespace segue::gateway {
namespace {

TEST_CASE("a date is written as HTTP has it, and follows the clock, also when that is set back") {
  HttpDate date;
  CHECK(date.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(1709210096) == "Thu, 29 Feb 2024 12:34:56 GMT");
  CHECK(date.at(784111778) == "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
}  // namespace segue::gateway
