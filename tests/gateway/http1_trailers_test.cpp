#include "gateway/http1/trailers.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/http1/chunk_writer.hpp"
#include "gateway/http1/field_rules.hpp"

namespace segue::gateway::http1 {
namespace {

TEST_CASE("what frames, routes, authenticates or means one connection is never a trailer") {
  for (const char* name :
       {"Content-Length", "transfer-encoding", "TRAILER", "Host", "Via", "Max-Forwards", "Expect",
        "Connection", "Keep-Alive", "Upgrade", "TE", "Proxy-Authorization", "Proxy-Anything",
        "Authorization", "WWW-Authenticate", "Cookie", "Set-Cookie", "Content-Type",
        "Content-Encoding", "Content-Range", "Cache-Control", "If-Match", "Range", "Date",
        "Location", "Vary", "Forwarded", "X-Forwarded-For", "x-forwarded-user", "X-Real-IP",
        "X-Auth-User", "Remote-User", "Segue-Account", "HTTP2-Settings", "Sec-WebSocket-Accept",
        "Access-Control-Allow-Origin", "Strict-Transport-Security", "content_length", "X_Any"}) {
    INFO(name);
    CHECK_FALSE(may_be_trailer(name));
  }
}

TEST_CASE("what is no field name is no trailer") {
  for (const char* name : {"", " ", "a b", "a:", "a\r", "\xc3\xa4"}) CHECK_FALSE(may_be_trailer(name));
}

TEST_CASE("what only describes the content that came may be a trailer") {
  for (const char* name : {"grpc-status", "Grpc-Message", "Server-Timing", "Digest", "Repr-Digest",
                           "Content-MD5", "X-Checksum", "ETag", "If-Nothing", "Secret"})
    CHECK(may_be_trailer(name));
}

constexpr std::string_view kBody = "2\r\nok\r\n0\r\nA: 1\r\nb:2 \r\nA:\r\nC: 3\r\n\r\n";

// The trailers of kBody that pass, fed in pieces of this size.
std::string chosen(std::size_t piece, const TrailerNames& allowed, const RequestHead& head) {
  ChunkDecoder decoder;
  Trailers trailers;
  std::string content;
  ChunkDecoder::State state = ChunkDecoder::State::more;
  for (std::size_t at = 0; at < kBody.size(); at += piece) {
    std::string_view rest = kBody.substr(at, piece);
    while (!rest.empty()) {
      const auto step = decoder.step(rest);
      content += step.content;
      trailers.add(step.trailer);
      rest.remove_prefix(step.consumed);
      state = step.state;
    }
  }
  CHECK(state == ChunkDecoder::State::done);
  CHECK(content == "ok");
  CHECK(decoder.trailers() == 4);
  trailers.choose(allowed, head);
  std::string of_fields;
  for (const Field& field : trailers.fields())
    of_fields.append(field.name).append(": ").append(field.value).append("\r\n");
  CHECK(of_fields == trailers.lines());
  return std::string(trailers.lines());
}

// A head with these field lines, read by the parser.
struct Parsed {
  explicit Parsed(const std::string& fields, std::string_view first = "GET / HTTP/1.1\r\nHost: a\r\n")
      : raw(std::string(first) + fields + "\r\n") {
    REQUIRE(parser.parse(raw) == ParseState::done);
  }
  const RequestHead& head() const { return parser.head(); }
  std::string raw;
  RequestParser parser{HeadLimits{}};
};

TEST_CASE("trailers that pass are chosen in their order, however the body was cut") {
  const Parsed plain("");
  for (std::size_t piece = 1; piece <= kBody.size(); ++piece) {
    INFO(piece);
    CHECK(chosen(piece, {"a", "B", "x"}, plain.head()) == "A: 1\r\nb: 2\r\nA: \r\n");
  }
  CHECK(chosen(7, {}, plain.head()).empty());
  const Parsed nominating("Connection: close, A\r\n");
  CHECK(chosen(7, {"a", "b"}, nominating.head()) == "b: 2\r\n");
}

TEST_CASE("a list cannot let a forbidden name pass") {
  const Parsed plain("");
  CHECK_FALSE(passes_as_trailer("Content-Length", {"content-length"}, plain.head()));
  CHECK(passes_as_trailer("Digest", {"digest"}, plain.head()));
  CHECK_FALSE(passes_as_trailer("Digest", {"digests"}, plain.head()));
}

TEST_CASE("only `trailers` in TE of HTTP/1.1 says that trailers are taken") {
  CHECK(takes_trailers(Parsed("TE: trailers\r\n").head()));
  CHECK(takes_trailers(Parsed("TE: gzip;q=0\r\nTE: deflate , TRAILERS\r\n").head()));
  CHECK_FALSE(takes_trailers(Parsed("").head()));
  CHECK_FALSE(takes_trailers(Parsed("TE: gzip\r\n").head()));
  CHECK_FALSE(takes_trailers(Parsed("Trailer: trailers\r\n").head()));
  CHECK_FALSE(takes_trailers(Parsed("TE: trailers\r\n", "GET / HTTP/1.0\r\n").head()));
}

TEST_CASE("one websocket that Connection nominates is a handshake") {
  CHECK(upgrades_to_websocket(Parsed("Connection: x, upgrade\r\nUpgrade: WebSocket\r\n").head()));
  for (const char* fields :
       {"", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: websocket,\r\n",
        "Connection: upgrade\r\nUpgrade: websocket/13\r\n"}) {
    INFO(fields);
    CHECK_FALSE(upgrades_to_websocket(Parsed(fields).head()));
  }
  CHECK_FALSE(upgrades_to_websocket(
      Parsed("Connection: upgrade\r\nUpgrade: websocket\r\n", "GET / HTTP/1.0\r\n").head()));
}

std::string framed(std::string content, std::optional<std::string_view> trailers) {
  std::vector<iovec> pieces(1);
  if (!content.empty()) pieces.push_back({content.data(), content.size()});
  ChunkWriter writer;
  std::string sent;
  for (const iovec& piece : writer.frame(pieces, content.size(), trailers))
    sent.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return sent;
}

TEST_CASE("content becomes a chunk, the end of a body the last one, with trailers behind it") {
  CHECK(framed("0123456789abcdefg", std::nullopt) == "11\r\n0123456789abcdefg\r\n");
  CHECK(framed("", std::nullopt).empty());
  CHECK(framed("ok", "") == "2\r\nok\r\n0\r\n\r\n");
  CHECK(framed("", "") == "0\r\n\r\n");
  CHECK(framed("ok", "A: 1\r\n") == "2\r\nok\r\n0\r\nA: 1\r\n\r\n");
  CHECK(framed("", "A: 1\r\n") == "0\r\nA: 1\r\n\r\n");
}

}  // namespace
}  // namespace segue::gateway::http1
