#include "gateway/listening/proxy_header.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/gateway/proxy_header_cases.hpp"

namespace segue::gateway {
namespace {

using State = ProxyHeader::State;

std::string text_of(const ProxyHeader::Address& address) {
  const std::string ip = address.address().to_string();
  return fmt::format(fmt::runtime(address.address().is_v6() ? "[{}]:{}" : "{}:{}"), ip,
                     address.port());
}

std::string said(const ProxyHeader& header) {
  switch (header.speaker) {
    case ProxyHeader::Speaker::sender:
      return "sender";
    case ProxyHeader::Speaker::unknown:
      return "unknown";
    case ProxyHeader::Speaker::client:
      break;
  }
  return fmt::format("{} to {}", text_of(header.source), text_of(header.destination));
}

void check(const ProxyHeader& header, const ProxyHeaderCase& expected) {
  if (expected.said.empty()) {
    REQUIRE(header.state == State::refused);
    CHECK(std::string_view(header.reason) == expected.reason);
    return;
  }
  INFO((header.state == State::refused ? header.reason : ""));
  REQUIRE(header.state == State::done);
  CHECK(header.bytes == expected.raw.size());
  CHECK(said(header) == expected.said);
}

TEST_CASE("a PROXY protocol header says who the client is, or why it is refused") {
  for (const ProxyHeaderCase& one : proxy_header_cases()) {
    INFO(one.name);
    check(read_proxy_header(one.raw, ProxyProtocol::any), one);
  }
}

TEST_CASE("a PROXY protocol header is read alike wherever its bytes are cut") {
  for (const ProxyHeaderCase& one : proxy_header_cases()) {
    INFO(one.name);
    for (std::size_t cut = 0; cut < one.raw.size(); ++cut) {
      const auto part = read_proxy_header(std::string_view(one.raw).substr(0, cut),
                                          ProxyProtocol::any);
      if (part.state == State::need_more) continue;
      INFO("cut at " << cut);
      REQUIRE(part.state == State::refused);  // a header ends where it ends, not before
      check(part, one);
    }
  }
}

TEST_CASE("what follows a PROXY protocol header changes nothing of it") {
  for (const ProxyHeaderCase& one : proxy_header_cases()) {
    INFO(one.name);
    for (const char* more :
         {"GET / HTTP/1.1\r\n\r\n", "\r\n", "\n", "PROXY UNKNOWN\r\n", "\x16\x03"})
      check(read_proxy_header(one.raw + more, ProxyProtocol::any), one);
  }
}

TEST_CASE("a listener of one version of the PROXY protocol refuses the other") {
  const std::string line = "PROXY UNKNOWN\r\n";
  const std::string binary = binary_proxy_header(0x20, 0x00, "");
  CHECK(read_proxy_header(line, ProxyProtocol::v1).state == State::done);
  CHECK(read_proxy_header(binary, ProxyProtocol::v2).state == State::done);
  const auto other_line = read_proxy_header(line, ProxyProtocol::v2);
  REQUIRE(other_line.state == State::refused);
  CHECK(std::string_view(other_line.reason) == "other_version");
  const auto other_binary = read_proxy_header(binary, ProxyProtocol::v1);
  REQUIRE(other_binary.state == State::refused);
  CHECK(std::string_view(other_binary.reason) == "other_version");
  CHECK(read_proxy_header("PROXY", ProxyProtocol::v2).state == State::need_more);
}

}  // namespace
}  // namespace segue::gateway
