// Confluent's frame, from its description; what foreign producers write and what none may write.
#include "kafka/confluent_frame.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace segue::kafka {
namespace {

using namespace std::string_view_literals;

TEST_CASE("a header for the first message reads back as id, [0] and the payload") {
  for (const std::uint32_t id : {1U, 255U, 256U, 0x01020304U, 0xffffffffU}) {
    std::string value;
    append_confluent_header(value, id);
    CHECK(value.size() == kConfluentHeaderBytes);
    value += "payload";
    const auto frame = decode_confluent_frame(value);
    REQUIRE(frame.has_value());
    CHECK(frame->schema_id == id);
    CHECK(frame->is_first_message());
    CHECK(frame->payload == "payload");
  }
}

TEST_CASE("the id is big-endian behind a zero byte, and [0] is one zero byte") {
  std::string value;
  append_confluent_header(value, 0x01020304);
  CHECK(value == "\0\1\2\3\4\0"sv);
}

TEST_CASE("the path [0] written in full, [1] and [1, 0] are read as they are") {
  const auto full = decode_confluent_frame("\0\0\0\0\7\2\0x"sv);
  REQUIRE(full.has_value());
  CHECK(full->is_first_message());
  CHECK(full->payload == "x");
  const auto second = decode_confluent_frame("\0\0\0\0\7\2\2x"sv);
  REQUIRE(second.has_value());
  CHECK_FALSE(second->is_first_message());
  CHECK(second->path[0] == 1);
  const auto nested = decode_confluent_frame("\0\0\0\0\7\4\2\0x"sv);
  REQUIRE(nested.has_value());
  CHECK(nested->depth == 2);
  CHECK(nested->path[0] == 1);
  CHECK(nested->path[1] == 0);
  CHECK(nested->payload == "x");
  const auto large = decode_confluent_frame("\0\0\0\0\7\2\x80\x01x"sv);
  REQUIRE(large.has_value());
  CHECK(large->path[0] == 64);
}

TEST_CASE("a frame that is cut anywhere before its payload is none") {
  const std::string_view whole = "\0\0\0\0\7\4\2\x80\1x"sv;
  REQUIRE(decode_confluent_frame(whole).has_value());
  for (std::size_t size = 0; size < whole.size() - 1; ++size)
    CHECK_FALSE(decode_confluent_frame(whole.substr(0, size)).has_value());
}

TEST_CASE("negative, endless and too many indexes are refused, and so is another first byte") {
  CHECK_FALSE(decode_confluent_frame("\0\0\0\0\7\1x"sv).has_value());          // count -1
  CHECK_FALSE(decode_confluent_frame("\0\0\0\0\7\2\1x"sv).has_value());        // index -1
  CHECK_FALSE(decode_confluent_frame("\0\0\0\0\7\x22xxxxxxxxxxxxxxxxx"sv).has_value());  // 17 deep
  CHECK_FALSE(decode_confluent_frame("\0\0\0\0\7\xff\xff\xff\xff\xff\xff\x01"sv).has_value());
  CHECK_FALSE(decode_confluent_frame("\1\0\0\0\7\0x"sv).has_value());
  CHECK_FALSE(looks_framed("\x0a\x10"sv));  // field 1, length-delimited: an exchange's id
}

}  // namespace
}  // namespace segue::kafka
