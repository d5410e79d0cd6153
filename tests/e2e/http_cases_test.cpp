// What passes through the gateway, byte by byte: a client's request and what a backend gets of it,
// the backend's answer and what the client gets of that.

#include "tests/e2e/http_cases.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace segue::test {
namespace {

const std::vector<PassingCase>& passing_cases() {
  static const std::vector<PassingCase> rows = {
      {"order and repetition are kept, and Set-Cookie is never joined",
       "GET /open/a%20b?c=d&e HTTP/1.1\r\nB: 2\r\nHost: a\r\nA: 1\r\nB: 3\r\n\r\n",
       "GET /open/a%20b?c=d&e HTTP/1.1\r\nHost: a\r\nB: 2\r\nA: 1\r\nB: 3\r\n{added}",
       "HTTP/1.1 200 Fine with me\r\nSet-Cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2\r\n"
       "Content-Length: 2\r\n\r\nok",
       "HTTP/1.1 200 Fine with me\r\nSet-Cookie: a=1\r\nX: 1\r\nSet-Cookie: b=2\r\n"
       "Content-Length: 2\r\nVia: 1.1 segue\r\n\r\nok"},
      {"hop-by-hop and nominated fields stay on their side",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: 5\r\n"
       "X-Mine: 1\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\n"
       "Proxy-Authorization: Basic eA==\r\nX-Kept: 1\r\n\r\n",
       "GET /open HTTP/1.1\r\nHost: a\r\nX-Kept: 1\r\n{added}",
       "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Ours\r\nX-Ours: 1\r\nKeep-Alive: timeout=9\r\n"
       "Proxy-Authenticate: Basic\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok",
       kOkAtClient},
      {"an upgrade to HTTP/2 in clear is not offered to the backend",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
       "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
       kPlainAtBackend, kOk, kOkAtClient},
      {"absolute-form is undone, and its authority replaces Host",
       "GET http://a/open?x HTTP/1.1\r\nHost: other\r\n\r\n",
       "GET /open?x HTTP/1.1\r\nHost: a\r\n{added}", kOk, kOkAtClient},
      {"what a stranger claims about himself is replaced",
       "GET /open HTTP/1.1\r\nHost: a\r\nForwarded: for=9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\n"
       "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n\r\n",
       kPlainAtBackend, kOk, kOkAtClient},
      {"names with an underscore and the gateway's own are dropped",
       "GET /open HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nSegue-Account: 1\r\n\r\n", kPlainAtBackend,
       "HTTP/1.1 200 OK\r\nSegue-Error: forged\r\nContent-Length: 2\r\n\r\nok", kOkAtClient},
      {"chunks are made anew, without their extensions and trailers",
       "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "1;x=y\r\na\r\n2\r\nbc\r\n0\r\nX-Trailer: 1\r\n\r\n",
       "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{added}abc",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Trailer: "
       "1\r\n\r\n",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 "
       "segue\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
      {"an HTTP/1.0 client gets no chunks and no interim answer",
       "GET /open HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
       "GET /open HTTP/1.1\r\nHost: a\r\nVia: 1.0 segue\r\n"
       "Forwarded: for=127.0.0.1;host=\"a\";proto=http\r\nX-Forwarded-For: 127.0.0.1\r\n"
       "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n",
       "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
       "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
       "HTTP/1.1 200 OK\r\nVia: 1.1 segue\r\nConnection: close\r\n\r\nok"},
      {"an HTTP/1.0 client whose connection stays is told so",
       "GET /open HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
       "GET /open HTTP/1.1\r\nHost: a\r\nVia: 1.0 segue\r\n"
       "Forwarded: for=127.0.0.1;host=\"a\";proto=http\r\nX-Forwarded-For: 127.0.0.1\r\n"
       "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n",
       kOk,
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 segue\r\nConnection: "
       "keep-alive\r\n\r\nok"},
      {"102 and 103 reach an HTTP/1.1 client as they came", kPlain, kPlainAtBackend,
       "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
       "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 segue\r\n\r\nok"},
      {"HEAD keeps the length of what it has not", "HEAD /open HTTP/1.1\r\nHost: a\r\n\r\n",
       "HEAD /open HTTP/1.1\r\nHost: a\r\n{added}", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nVia: 1.1 segue\r\n\r\n"},
      {"a 204 has no length", kPlain, kPlainAtBackend,
       "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 204 No Content\r\nVia: 1.1 segue\r\n\r\n"},
      {"a 304 keeps the length of what it stands for", kPlain, kPlainAtBackend,
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\nVia: 1.1 segue\r\n\r\n"},
      {"equal lengths become one, and HTTP/1.0 of a backend becomes 1.1", kPlain, kPlainAtBackend,
       "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.0 segue\r\n\r\nok"},
      {"a status that means nothing to HTTP is passed on", kPlain, kPlainAtBackend,
       "HTTP/1.1 999 Request denied\r\nContent-Length: 2\r\n\r\nno",
       "HTTP/1.1 999 Request denied\r\nContent-Length: 2\r\nVia: 1.1 segue\r\n\r\nno"},
      {"Max-Forwards of OPTIONS is counted down",
       "OPTIONS /open HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n",
       "OPTIONS /open HTTP/1.1\r\nHost: a\r\nMax-Forwards: 2\r\n{added}", kOk, kOkAtClient},
  };
  return rows;
}

TEST_CASE("what passes through arrives on both sides with the bytes that it should have") {
  for (const auto& row : passing_cases()) check_passing(row);
}

TEST_CASE("a path that leads nowhere is refused here, and no backend hears of it") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  for (const char* target : {"/open/%00", "/open/a%00b", "/open/../..", "/open/../../open",
                             "/%2e%2e/open", "/open/%zz", "/open/%"}) {
    INFO(target);
    RawClient client(gateway.port());
    const auto answer = client.get(target);
    CHECK(answer.status() == 400);
    CHECK(answer.field("segue-error").has_value());
  }
  CHECK(backend.connections() == 0);
}

}  // namespace
}  // namespace segue::test
