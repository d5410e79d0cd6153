#include <catch2/catch_test_macros.hpp>
#include <string>

#include "gateway/http1/forward.hpp"

namespace segue::gateway::http1 {
namespace {

std::string joined(Gather& gather) {
  std::string text;
  for (const iovec& piece : gather.pieces())
    text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  CHECK(text.size() == gather.bytes());
  return text;
}

constexpr ForwardSettings kStranger{
    .via = "segue", .client_address = "192.0.2.1", .scheme = "http"};
constexpr ForwardSettings kTrusted{
    .via = "segue", .client_address = "192.0.2.1", .scheme = "http", .trusted_peer = true};

struct Forwarded {
  std::string head;
  std::uint32_t dropped = 0;
};

// The head that goes upstream for a request with these field lines after Host.
Forwarded forward(const std::string& fields, const ForwardSettings& settings = kStranger,
                  std::string_view request_line = "GET /a HTTP/1.1") {
  RequestParser parser({});
  const std::string raw = std::string(request_line) + "\r\nHost: shop\r\n" + fields + "\r\n";
  REQUIRE(parser.parse(raw) == ParseState::done);
  Gather gather;
  Forwarded result;
  result.dropped = write_request_head(parser.head(), parser.head().target, parser.head().authority,
                                      parser.head().framing, settings, gather);
  result.head = joined(gather);
  return result;
}

const std::string kStart = "GET /a HTTP/1.1\r\nHost: shop\r\n";
const std::string kOurs =
    "Via: 1.1 segue\r\n"
    "Forwarded: for=192.0.2.1;host=\"shop\";proto=http\r\n"
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\n\r\n";

std::string answer(const std::string& raw, const ResponseForward& settings,
                   std::string_view method = "GET") {
  ResponseParser parser({});
  REQUIRE(parser.parse(raw, method) == ParseState::done);
  Gather gather;
  write_response_head(parser.head(), settings, gather);
  return joined(gather);
}

}  // namespace

TEST_CASE("a request goes on with its fields as they came, and says who forwarded it") {
  CHECK(forward("Accept:  */* \r\nX: 1\r\nCookie: a=b\r\nx: 2\r\n").head ==
        kStart + "Accept:  */* \r\nX: 1\r\nCookie: a=b\r\nx: 2\r\n" + kOurs);
}

TEST_CASE("hop-by-hop fields of a request end here") {
  CHECK(forward("Keep-Alive: 5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
                "Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nTrailer: X\r\n"
                "Proxy-Authenticate: Basic\r\nProxy-Authorization: Basic eA==\r\n")
            .head == kStart + kOurs);
}

TEST_CASE("fields that Connection nominates end here, however it is written") {
  CHECK(forward("X-Hop: 1\r\nConnection: close,, x-hop\r\nKept: 1\r\nConnection: X-TOO\r\n"
                "X-Too: 2\r\nx-hop: 3\r\n")
            .head == kStart + "Kept: 1\r\n" + kOurs);
}

TEST_CASE("a nomination of what others rely on is ignored") {
  const std::string kept =
      "Content-Type: a/b\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\n"
      "X-Auth-User: u\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 1.2.3.4\r\n";
  const std::string head =
      forward(kept + "Connection: host, content-length, content-type, authorization, cookie, "
                     "x-auth-user, x-forwarded-port, x-forwarded-for, forwarded, x-real-ip, via\r\n",
              kTrusted)
          .head;
  CHECK(head.starts_with(kStart + kept + "Via: 1.1 segue\r\n"));
}

TEST_CASE("a stranger's Forwarded and X-Forwarded fields are replaced") {
  CHECK(forward("Forwarded: for=10.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\n"
                "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX: 1\r\n")
            .head == kStart + "X: 1\r\n" + kOurs);
}

TEST_CASE("what a stranger says of itself in any X-Forwarded field or X-Real-IP ends here") {
  CHECK(forward("X-Forwarded-Port: 443\r\nX-Forwarded-Ssl: on\r\nx-FORWARDED-prefix: /admin\r\n"
                "X-Forwarded-: 1\r\nX: 1\r\nX-Real-IP: 10.0.0.1\r\nx-real-ip: 10.0.0.2\r\n")
            .head == kStart + "X: 1\r\n" + kOurs);
}

TEST_CASE("a trusted peer's other X-Forwarded fields and X-Real-IP go on as they came") {
  const std::string said =
      "X-Forwarded-Port: 443\r\nX-Forwarded-Ssl: on\r\nX-Real-IP: 10.0.0.1\r\n";
  CHECK(forward(said, kTrusted).head == kStart + said + kOurs);
}

TEST_CASE("names beside X-Forwarded and X-Real-IP go on, whoever sent them") {
  const std::string said =
      "X-Forwarded: 1\r\nX-Forwardedly: 1\r\nX-Real-IPs: 1\r\nX-Client-IP: 192.0.2.9\r\n"
      "True-Client-IP: 192.0.2.9\r\nCF-Connecting-IP: 192.0.2.9\r\n";
  CHECK(forward(said).head == kStart + said + kOurs);
}

TEST_CASE("a trusted peer's Forwarded and X-Forwarded-For are appended to, the others kept") {
  CHECK(forward("Forwarded: for=10.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2"
                "\r\nX-Forwarded-Proto: https\r\n",
                kTrusted)
            .head ==
        kStart +
            "X-Forwarded-Proto: https\r\nVia: 1.1 segue\r\n"
            "Forwarded: for=10.0.0.1, for=192.0.2.1;host=\"shop\";proto=http\r\n"
            "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.1\r\nX-Forwarded-Host: shop\r\n\r\n");
}

TEST_CASE("an IPv6 client stands in brackets in Forwarded alone") {
  ForwardSettings settings = kStranger;
  settings.client_address = "2001:db8::1";
  settings.scheme = "https";
  const std::string head = forward("", settings).head;
  CHECK(head.find("Forwarded: for=\"[2001:db8::1]\";host=\"shop\";proto=https\r\n") !=
        std::string::npos);
  CHECK(head.find("X-Forwarded-For: 2001:db8::1\r\n") != std::string::npos);
}

TEST_CASE("a client on a unix socket is unknown") {
  ForwardSettings settings = kStranger;
  settings.client_address = "";
  const std::string head = forward("", settings).head;
  CHECK(head.find("Forwarded: for=unknown;") != std::string::npos);
  CHECK(head.find("X-Forwarded-For: unknown\r\n") != std::string::npos);
}

TEST_CASE("names of the gateway's own fields are not taken from clients") {
  CHECK(forward("Segue-Exchange-Id: x\r\nsegue-anything: y\r\n").head == kStart + kOurs);
}

TEST_CASE("names with an underscore are dropped and counted") {
  const Forwarded result = forward("X_Y: 1\r\nKept: 1\r\nContent_Length: 5\r\n");
  CHECK(result.head == kStart + "Kept: 1\r\n" + kOurs);
  CHECK(result.dropped == 2);
}

TEST_CASE("names with an underscore go on when told so, but no twin of a name that matters") {
  ForwardSettings settings = kStranger;
  settings.underscore = UnderscoreNames::forward;
  const Forwarded result = forward(
      "X_Y: 1\r\nTransfer_Encoding: chunked\r\nX_Forwarded_For: 1\r\nx-forwarded_port: 1\r\n"
      "Proxy_Authorization: 1\r\nSegue_Id: 1\r\nRemote_User: root\r\n",
      settings);
  CHECK(result.head == kStart + "X_Y: 1\r\n" + kOurs);
  CHECK(result.dropped == 6);
}

TEST_CASE("framing goes on as it came, or as our own chunked coding") {
  CHECK(forward("Content-Length: 5\r\nX: 1\r\n", kStranger, "POST / HTTP/1.1").head ==
        "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nX: 1\r\n" + kOurs);
  CHECK(forward("transfer-encoding: CHUNKED\r\nX: 1\r\n", kStranger, "POST / HTTP/1.1").head ==
        "POST / HTTP/1.1\r\nHost: shop\r\nX: 1\r\nTransfer-Encoding: chunked\r\n" + kOurs);
}

TEST_CASE("Expect goes on to the backend, but not from HTTP/1.0") {
  CHECK(forward("Expect: 100-continue\r\n", kStranger, "POST /a HTTP/1.1").head ==
        "POST /a HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n" + kOurs);
  CHECK(forward("Expect: 100-continue\r\n", kStranger, "GET /a HTTP/1.0")
            .head.starts_with(kStart + "Via: 1.0 segue\r\n"));
}

TEST_CASE("Max-Forwards of OPTIONS is counted down, of others left alone") {
  CHECK(forward("Max-Forwards: 3\r\n", kStranger, "OPTIONS /a HTTP/1.1").head ==
        "OPTIONS /a HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 2\r\n" + kOurs);
  CHECK(forward("Max-Forwards: 3\r\n").head == kStart + "Max-Forwards: 3\r\n" + kOurs);
}

TEST_CASE("Via of proxies before stays, ours follows") {
  CHECK(forward("Via: 1.0 old\r\n").head == kStart + "Via: 1.0 old\r\n" + kOurs);
}

TEST_CASE("the target and the host are those that are given") {
  RequestParser parser({});
  REQUIRE(parser.parse("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n") == ParseState::done);
  Gather gather;
  write_request_head(parser.head(), "/y", "backend:80", Framing::none, kStranger, gather);
  const std::string head = joined(gather);
  CHECK(head.starts_with("GET /y HTTP/1.1\r\nHost: backend:80\r\nVia: 1.1 segue\r\n"));
  CHECK(head.find("X-Forwarded-Host: b\r\n") != std::string::npos);
}

TEST_CASE("a long run of kept fields leaves as one piece of the received buffer") {
  const std::string raw = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'x') +
                          "\r\nY: " + std::string(300, 'y') + "\r\nConnection: close\r\n\r\n";
  RequestParser parser({});
  REQUIRE(parser.parse(raw) == ParseState::done);
  Gather gather;
  write_request_head(parser.head(), "/", "a", Framing::none, kStranger, gather);
  const std::vector<iovec>& pieces = gather.pieces();
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[1].iov_base == raw.data() + raw.find("X: "));
  CHECK(pieces[1].iov_len == 610);
}

TEST_CASE("long runs around a field that ends here stay apart") {
  const std::string kept = "X: " + std::string(300, 'x') + "\r\n";
  CHECK(forward(kept + "Keep-Alive: 5\r\n" + kept).head == kStart + kept + kept + kOurs);
}

TEST_CASE("a gather is used again") {
  Gather gather;
  gather.copy("abc");
  gather.copy("def");
  CHECK(joined(gather) == "abcdef");
  CHECK(gather.pieces().size() == 1);
  gather.clear();
  CHECK(gather.bytes() == 0);
  gather.copy("x");
  CHECK(joined(gather) == "x");
}

TEST_CASE("a response goes on with its fields as they came") {
  CHECK(answer("HTTP/1.0 200 Fine\r\nDate: today\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
               "Content-Length: 5\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n"
               "Keep-Alive: timeout=5\r\n\r\n",
               {.via = "segue", .framing = Framing::length}) ==
        "HTTP/1.1 200 Fine\r\nDate: today\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        "Content-Length: 5\r\nVia: 1.0 segue\r\n\r\n");
}

TEST_CASE("a response without Date gets the one that it is given, an interim one does not") {
  const ResponseForward forward{.via = "segue", .framing = Framing::none, .date = "today"};
  CHECK(answer("HTTP/1.1 304 OK\r\nX: 1\r\n\r\n", forward) ==
        "HTTP/1.1 304 OK\r\nX: 1\r\nDate: today\r\nVia: 1.1 segue\r\n\r\n");
  CHECK(answer("HTTP/1.1 304 OK\r\ndate: then\r\n\r\n", forward) ==
        "HTTP/1.1 304 OK\r\ndate: then\r\nVia: 1.1 segue\r\n\r\n");
  CHECK(answer("HTTP/1.1 103 Hints\r\n\r\n", forward) == "HTTP/1.1 103 Hints\r\n\r\n");
}

TEST_CASE("a chunked response is chunked anew, or ends with the connection") {
  const std::string raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\n\r\n";
  CHECK(answer(raw, {.via = "segue", .framing = Framing::chunked}) ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 segue\r\n\r\n");
  CHECK(answer(raw, {.client_version_minor = 0, .via = "segue", .framing = Framing::until_close}) ==
        "HTTP/1.1 200 OK\r\nVia: 1.1 segue\r\nConnection: close\r\n\r\n");
}

TEST_CASE("an HTTP/1.0 client that stays is told so, and one that goes as well") {
  const std::string raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  CHECK(answer(raw, {.client_version_minor = 0, .via = "segue", .framing = Framing::length}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.1 segue\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answer(raw, {.via = "segue", .framing = Framing::length, .close = true}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.1 segue\r\nConnection: close\r\n\r\n");
}

TEST_CASE("Content-Length stays for HEAD and 304, never on 204 or interim answers") {
  const ResponseForward none{.via = "segue", .framing = Framing::none};
  const std::string length = "Content-Length: 5\r\n";
  CHECK(answer("HTTP/1.1 200 OK\r\n" + length + "\r\n", none, "HEAD") ==
        "HTTP/1.1 200 OK\r\n" + length + "Via: 1.1 segue\r\n\r\n");
  CHECK(answer("HTTP/1.1 304 OK\r\n" + length + "\r\n", none) ==
        "HTTP/1.1 304 OK\r\n" + length + "Via: 1.1 segue\r\n\r\n");
  CHECK(answer("HTTP/1.1 204 OK\r\n" + length + "\r\n", none) ==
        "HTTP/1.1 204 OK\r\nVia: 1.1 segue\r\n\r\n");
  CHECK(answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n" + length + "\r\n", none) ==
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST_CASE("equal lengths of a backend become one") {
  CHECK(answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\nContent-Length: 5\r\n\r\n",
               {.via = "segue", .framing = Framing::length}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\nVia: 1.1 segue\r\n\r\n");
}

TEST_CASE("a backend cannot speak for the gateway, and its Set-Cookie cannot be nominated away") {
  CHECK(answer("HTTP/1.1 200 OK\r\nSegue-Error: x\r\nSegue-Exchange-Id: y\r\nSet-Cookie: a=1\r\n"
               "Connection: set-cookie\r\nContent-Length: 0\r\n\r\n",
               {.via = "segue", .framing = Framing::length, .exchange_id = "0199"}) ==
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\nVia: 1.1 segue\r\n"
        "Segue-Exchange-Id: 0199\r\n\r\n");
}

}  // namespace segue::gateway::http1
