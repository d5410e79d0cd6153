#include "config/units.hpp"

#include <catch2/catch_test_macros.hpp>

namespace segue::config {
namespace {

TEST_CASE("durations have one number and one unit") {
  CHECK(parse_duration("250ms") == milliseconds{250});
  CHECK(parse_duration("5s") == milliseconds{5000});
  CHECK(parse_duration("10m") == milliseconds{600'000});
  CHECK(parse_duration("1h") == milliseconds{3'600'000});
  for (const char* wrong : {"", "5", "s", "5 s", "-5s", "5S", "1.5s", "1m30s", "5d", "+5s",
                            "99999999999999999999ms", "99999999999999h"}) {
    INFO(wrong);
    CHECK_FALSE(parse_duration(wrong).has_value());
  }
  CHECK(show_duration(milliseconds{75'000}) == "75s");
  CHECK(show_duration(milliseconds{0}) == "0ms");
  CHECK(show_duration(milliseconds{1'500}) == "1500ms");
}

TEST_CASE("sizes are binary and never overflow") {
  CHECK(parse_size("240B") == 240);
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("2GiB") == std::uint64_t{1} << 31);
  for (const char* wrong : {"", "64", "64KB", "64kib", "KiB", "1.5MiB", "-1B", "99999999999TiB"}) {
    INFO(wrong);
    CHECK_FALSE(parse_size(wrong).has_value());
  }
  CHECK(show_size(65'536) == "64KiB");
  CHECK(show_size(240) == "240B");
}

TEST_CASE("percentages keep two decimals exactly") {
  CHECK(parse_percent("0") == 0);
  CHECK(parse_percent("100") == 10'000);
  CHECK(parse_percent("0.5") == 50);
  CHECK(parse_percent("33.33") == 3'333);
  for (const char* wrong : {"", "100.01", "101", "-1", "1.", ".5", "0.333", "1e1", "10%", "1.x"}) {
    INFO(wrong);
    CHECK_FALSE(parse_percent(wrong).has_value());
  }
}

TEST_CASE("addresses are host:port, IPv6 in brackets") {
  const auto v6 = parse_host_port("[2001:db8::1]:80");
  REQUIRE(v6.has_value());
  CHECK(v6->host == "2001:db8::1");
  CHECK(v6->port == 80);
  CHECK(parse_host_port("php-1.internal:80").has_value());
  CHECK(parse_host_port("127.0.0.1:0").has_value());
  for (const char* wrong : {"", "a", ":80", "a:", "a:65536", "a:-1", "::1:80", "[::1]", "[::1:80",
                            "[a]:80", "a b:80", "-a:80", "http://a:80", "a/b:80"}) {
    INFO(wrong);
    CHECK_FALSE(parse_host_port(wrong).has_value());
  }
}

TEST_CASE("address blocks have a prefix that fits their family") {
  for (const char* block : {"10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32", "0.0.0.0/0"})
    CHECK(is_cidr_block(block));
  for (const char* wrong : {"", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/", "/8"})
    CHECK_FALSE(is_cidr_block(wrong));
}

}  // namespace
}  // namespace segue::config
