#include "gateway/http1/header_edits.hpp"

#include <catch2/catch_test_macros.hpp>

namespace segue::gateway::http1 {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("a rule finds its name in any case and with underscores, and no other name") {
  const HeaderEdits edits({{"X-User", "me"}}, Names{"Set_Cookie"});
  for (const char* name : {"x-user", "X_USER", "x_uSer", "set-cookie", "SET_COOKIE"}) {
    INFO(name);
    CHECK(edits.drops(name));
  }
  for (const char* name : {"x-use", "x-users", "x.user", "setcookie", ""}) {
    INFO(name);
    CHECK_FALSE(edits.drops(name));
  }
  const std::string longer(200, 'a');
  CHECK(HeaderEdits({}, Names{longer}).drops(std::string(200, 'A')));
  CHECK_FALSE(HeaderEdits({}, Names{longer}).drops(std::string(201, 'a')));
}

TEST_CASE("strict transport security is among the lines of https alone, however it is spelt") {
  const HeaderEdits edits({{"a", "1"}, {"STRICT-Transport-Security", "max-age=1"}, {"b", "2"}}, {});
  CHECK(edits.lines("http") == "a: 1\r\nb: 2\r\n");
  CHECK(edits.lines("https") == "a: 1\r\nb: 2\r\nSTRICT-Transport-Security: max-age=1\r\n");
  CHECK(edits.set("http").size() == 2);
  CHECK(edits.set("https").size() == 3);
  CHECK(HeaderEdits({{"strict-transport-security", "max-age=1"}}, {}).lines("http").empty());
  CHECK(edits.drops("strict-transport-security"));
}

TEST_CASE("what a rule views follows it when it is moved") {
  HeaderEdits from({{"a", "1"}}, {});
  const HeaderEdits to(std::move(from));
  CHECK(to.set("http")[0].name == "a");
  CHECK(to.set("http")[0].value == "1");
}

TEST_CASE("the gateway's own line is left out where a rule removes it, and only then") {
  const HeaderEdits edits({}, Names{"x_forwarded_for", "VIA"});
  CHECK(edits.silences(KnownField::x_forwarded_for));
  CHECK(edits.silences(KnownField::via));
  CHECK_FALSE(edits.silences(KnownField::forwarded));
  CHECK_FALSE(edits.silences(KnownField::x_forwarded_host));
}

TEST_CASE("no spelling of a reserved name may be set, nor be removed but where it says so") {
  using enum HeadKind;
  using enum HeaderEdit;
  for (const char* name : {"Connection", "content_length", "Transfer-Encoding", "HOST", "segue-x",
                           "Segue_X", "date", "Expect", "TE", "Upgrade"}) {
    INFO(name);
    for (const auto kind : {request, response})
      for (const auto edit : {set, remove}) CHECK_FALSE(why_not_edited(name, kind, edit).empty());
  }
  for (const char* name : {"Forwarded", "X_Forwarded-For", "x-forwarded-proto"}) {
    INFO(name);
    CHECK_FALSE(why_not_edited(name, request, set).empty());
    CHECK(why_not_edited(name, request, remove).empty());
  }
  CHECK(why_not_edited("via", response, remove).empty());
  CHECK_FALSE(why_not_edited("via", request, remove).empty());
  CHECK(why_not_edited("X-Forwarded-Prefix", request, set).empty());
  CHECK(why_not_edited("authorization", request, set).empty());
}

}  // namespace
}  // namespace segue::gateway::http1
