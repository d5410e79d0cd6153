#include "gateway/http1/trailers.hpp"

#include <catch2/catch_test_macros.hpp>

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

}  // namespace
}  // namespace segue::gateway::http1
