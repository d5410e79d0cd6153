#include "gateway/shadow/shadow_head.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace segue::gateway {
namespace {

// A copy of the request whose head this is.
struct Copied {
  Copied(std::string head, std::optional<std::uint64_t> body, std::vector<std::string> remove = {},
         std::string_view host = "new.internal",
         http1::UnderscoreNames underscore = http1::UnderscoreNames::drop)
      : received(std::move(head)), removed(std::move(remove)), parser(http1::HeadLimits{}) {
    REQUIRE(parser.parse(received) == http1::ParseState::done);
    http1::Gather scratch;
    const http1::ForwardSettings forward{
        .via = "segue", .client_address = "192.0.2.1", .scheme = "http", .underscore = underscore};
    const ShadowHead::Parts parts{.head = parser.head(),
                                  .target = "/rewritten?q=a b",
                                  .host = host,
                                  .body_bytes = body,
                                  .remove = removed};
    copy.emplace(parts, forward, scratch);
  }
  bool has(std::string_view text) const { return copy->text().find(text) != std::string::npos; }

  std::string received;
  std::vector<std::string> removed;
  http1::RequestParser parser;
  std::optional<ShadowHead> copy;
};

TEST_CASE("a copied head is marked, ends once, and is its own") {
  Copied copied("GET /x HTTP/1.1\r\nHost: shop.example\r\nAccept:text/plain\r\n\r\n", std::nullopt);
  copied.received.assign(copied.received.size(), '?');
  const auto text = copied.copy->text();
  CHECK(text.starts_with(
      "GET /rewritten?q=a b HTTP/1.1\r\nHost: new.internal\r\nAccept:text/plain\r\n"));
  CHECK(text.ends_with("\r\nSegue-Shadow: 1\r\n\r\n"));
  CHECK(text.find("\r\n\r\n") == text.size() - 4);
  CHECK(copied.copy->method() == "GET");
  CHECK(copied.copy->target() == "/rewritten?q=a b");
  CHECK(copied.copy->authority() == "new.internal");
  CHECK_FALSE(copied.has("Content-Length"));
  REQUIRE(copied.copy->fields().size() > 2);
  CHECK(copied.copy->fields()[1].name == "Accept");
  CHECK(copied.copy->fields()[1].value == "text/plain");
  CHECK(copied.copy->fields().back().name == "Segue-Shadow");
}

TEST_CASE("a copied body is framed by its length alone") {
  SECTION("it came with a length") {
    Copied copied("POST /x HTTP/1.1\r\nHost: a\r\ncontent-length: 0007\r\n\r\n", 7);
    CHECK(copied.has("\r\nContent-Length: 7\r\n"));
    CHECK_FALSE(copied.has("0007"));
  }
  SECTION("it came in chunks") {
    Copied copied(
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nTE: "
        "trailers\r\nConnection: TE\r\n\r\n",
        5);
    CHECK(copied.has("\r\nContent-Length: 5\r\n"));
    CHECK_FALSE(copied.has("chunked"));
    CHECK_FALSE(copied.has("railer"));
  }
  SECTION("it was empty") {
    Copied copied("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0);
    CHECK(copied.has("\r\nContent-Length: 0\r\n"));
  }
}

TEST_CASE("what is to be removed is gone wherever it stands, whoever wrote it") {
  Copied copied(
      "GET /x HTTP/1.1\r\nAuthorization: 1\r\nHost: a\r\nCookie: a\r\nX-Kept: yes\r\n"
      "COOKIE: b\r\nCookies: stay\r\n\r\n",
      std::nullopt, {"authorization", "Cookie", "Forwarded", "via", "host"});
  CHECK_FALSE(copied.has("Authorization"));
  CHECK_FALSE(copied.has("Cookie: "));
  CHECK_FALSE(copied.has("COOKIE"));
  CHECK_FALSE(copied.has("\r\nForwarded"));
  CHECK_FALSE(copied.has("Via"));
  CHECK(copied.has("\r\nX-Kept: yes\r\nCookies: stay\r\n"));
  CHECK(copied.has("\r\nHost: new.internal\r\n"));
  CHECK(copied.has("\r\nX-Forwarded-For: 192.0.2.1\r\n"));
}

TEST_CASE("what is to be removed is gone in the spelling that backends may take for it, too") {
  Copied copied("GET /x HTTP/1.1\r\nHost: a\r\nX_Api_Key: k\r\nx-api-key: k\r\nX_Kept: 1\r\n\r\n",
                std::nullopt, {"X-Api-Key"}, "new.internal", http1::UnderscoreNames::forward);
  CHECK_FALSE(copied.has("Key"));
  CHECK_FALSE(copied.has("key"));
  CHECK(copied.has("\r\nX_Kept: 1\r\n"));
}

TEST_CASE("what the gateway says of the client is sent, and not told as the request's own") {
  Copied copied("GET /x HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Port: 1\r\nX-Kept: 1\r\n\r\n",
                std::nullopt);
  CHECK(copied.has("\r\nForwarded: for=192.0.2.1;host=\"shop.example\";proto=http\r\n"));
  CHECK(copied.has("\r\nX-Forwarded-Host: shop.example\r\n"));
  std::vector<std::string> names;
  for (const Field& field : copied.copy->fields()) names.emplace_back(field.name);
  CHECK(names == std::vector<std::string>{"Host", "X-Kept", "Segue-Shadow"});
}

TEST_CASE("nobody but the gateway says that a request is a copy") {
  Copied copied("GET /x HTTP/1.1\r\nHost: a\r\nSegue-Shadow: 0\r\nSegue_Shadow: 0\r\n\r\n",
                std::nullopt);
  CHECK_FALSE(copied.has("Shadow: 0"));
}

TEST_CASE("a copy expects nothing, and an HTTP/1.0 client's goes on without a host") {
  Copied expecting(
      "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", 1);
  CHECK_FALSE(expecting.has("xpect"));
  Copied old("GET /x HTTP/1.0\r\n\r\n", std::nullopt, {}, "");
  CHECK(old.has("HTTP/1.1\r\nHost: \r\n"));
  CHECK(old.copy->authority().empty());
}

}  // namespace
}  // namespace segue::gateway
