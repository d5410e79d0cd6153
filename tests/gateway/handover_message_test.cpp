#include "gateway/listening/handover_message.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace segue::gateway {
namespace {

using Say = HandoverMessage::Say;

TEST_CASE("every message of a hand-over reads as it was written") {
  for (const Say say : {Say::ask, Say::all, Say::ready, Say::left}) {
    HandoverMessage message;
    message.say = say;
    const auto read = read_message(write_message(message));
    REQUIRE(read);
    CHECK(read->say == say);
  }
  HandoverMessage sockets;
  sockets.say = Say::sockets;
  sockets.listener = "public";
  sockets.count = 250;
  sockets.with_file = true;
  for (const bool from_manager : {false, true}) {
    sockets.from_service_manager = from_manager;
    const auto read = read_message(write_message(sockets));
    REQUIRE(read);
    CHECK(read->listener == "public");
    CHECK(read->count == 250);
    CHECK(read->with_file);
    CHECK(read->from_service_manager == from_manager);
  }
}

TEST_CASE("a reason is cut to what a packet holds") {
  HandoverMessage refusal;
  refusal.say = Say::refuse;
  refusal.text = std::string(10'000, 'x');
  const auto read = read_message(write_message(refusal));
  REQUIRE(read);
  CHECK(read->text == std::string(512, 'x'));
}

TEST_CASE("what is not said word for word is no message of a hand-over") {
  for (const char* packet :
       {"", "x", "[]", "null", "{}", R"({"segue_handover":1})", R"({"say":"ask"})",
        R"({"segue_handover":2,"say":"ask"})", R"({"segue_handover":"1","say":"ask"})",
        R"({"segue_handover":1,"say":"Ask"})", R"({"segue_handover":1,"say":1})",
        R"({"segue_handover":1,"say":"ask","more":1})",
        R"({"segue_handover":1,"say":"ask"} x)", R"({"segue_handover":1,"say":"sockets"})",
        R"({"segue_handover":1,"say":"sockets","listener":"a","count":0,"with_file":false})",
        R"({"segue_handover":1,"say":"sockets","listener":"a","count":251,"with_file":false})",
        R"({"segue_handover":1,"say":"sockets","listener":"a","count":-1,"with_file":false})",
        R"({"segue_handover":1,"say":"sockets","listener":1,"count":1,"with_file":false})",
        R"({"segue_handover":1,"say":"sockets","listener":"a","count":1,"with_file":0})",
        R"({"segue_handover":1,"say":"sockets","listener":"a","count":1,"with_file":true,"x":1})",
        R"({"segue_handover":1,"say":"ask","from_service_manager":true})",
        R"({"segue_handover":1,"say":"refuse"})"}) {
    INFO(packet);
    CHECK_FALSE(read_message(packet));
  }
  CHECK_FALSE(read_message(std::string(kMaxHandoverPacket + 1, ' ')));
}

}  // namespace
}  // namespace segue::gateway
