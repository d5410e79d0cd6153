#include "exchange/head.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>

namespace segue {
namespace {

TEST_CASE("names compare without regard to ASCII case only") {
  CHECK(equals_ignoring_case("Content-Type", "content-TYPE"));
  CHECK_FALSE(equals_ignoring_case("content-type", "content_type"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK_FALSE(equals_ignoring_case("\xc4", "\xe4"));  // Ä and ä in Latin-1
  CHECK_FALSE(equals_ignoring_case("@", "`"));        // differ in the bit that case differs in
}

TEST_CASE("the first field of a name counts") {
  const std::array<Field, 3> fields{Field{"A", "1"}, Field{"b", "2"}, Field{"B", "3"}};
  CHECK(find_field(fields, "B") == "2");
  CHECK_FALSE(find_field(fields, "c"));
}

TEST_CASE("a cookie is found in any field and any place, the first of its name counts") {
  const std::array<Field, 3> fields{Field{"Cookie", "a=1; uid=7;empty="}, Field{"X", "uid=8"},
                                    Field{"cookie", " uid=9 ; late=x=y"}};
  CHECK(find_cookie(fields, "uid") == "7");
  CHECK(find_cookie(fields, "empty") == "");
  CHECK(find_cookie(fields, "late") == "x=y");
  CHECK_FALSE(find_cookie(fields, "UID"));
  CHECK_FALSE(find_cookie(fields, "id"));
}

TEST_CASE("methods: safe ones need no intent, idempotent ones may be sent again") {
  CHECK(is_safe_method("GET"));
  CHECK_FALSE(is_safe_method("get"));
  CHECK_FALSE(is_safe_method("POST"));
  CHECK(is_idempotent_method("PUT"));
  CHECK(is_idempotent_method("DELETE"));
  CHECK_FALSE(is_idempotent_method("PATCH"));
  CHECK_FALSE(is_idempotent_method("PURGE"));
}

}  // namespace
}  // namespace segue
