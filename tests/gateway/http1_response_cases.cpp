#include <string>
#include <vector>

#include "tests/gateway/http1_cases.hpp"

namespace segue::gateway::http1 {
namespace {

using namespace std::string_view_literals;

constexpr ResponseCase kResponseCases[] = {
    {"a plain response", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"sv, "GET", true,
     "200 length:5 keep"},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"sv, "GET", true,
     "200 length:0 keep"},
    {"no space after the status", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"sv, "GET", true,
     "200 length:0 keep"},
    {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "GET", true,
     "200 chunked keep"},
    {"until close", "HTTP/1.1 200 OK\r\n\r\n"sv, "GET", true, "200 until_close close"},
    {"HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"sv, "GET", true,
     "200 length:5 close"},
    {"HTTP/1.0 kept alive",
     "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"sv, "GET", true,
     "200 length:5 keep"},
    {"Connection: close", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"sv,
     "GET", true, "200 length:5 close"},
    {"HEAD keeps its length for the client", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"sv,
     "HEAD", true, "200 none keep"},
    {"HEAD, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "HEAD", true,
     "200 none keep"},
    {"HEAD without framing", "HTTP/1.1 200 OK\r\n\r\n"sv, "HEAD", true, "200 none keep"},
    {"204", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"sv, "GET", true,
     "204 none keep"},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"sv, "GET", true,
     "304 none keep"},
    {"100", "HTTP/1.1 100 Continue\r\n\r\n"sv, "POST", true, "100 none keep"},
    {"103 with fields", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"sv, "GET", true,
     "103 none keep"},
    {"101", "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"sv, "GET",
     true, "101 none keep"},
    {"equal lengths count as one",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"sv, "GET", true,
     "200 length:5 keep"},
    {"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\n"sv, "GET", true,
     "200 length:5 keep"},
    {"bytes beyond ASCII in the reason", "HTTP/1.1 404 Verg\xc3\xa4nglich\r\n\r\n"sv, "HEAD", true,
     "404 none keep"},

    {"chunked and a length",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"sv, "GET", false,
     "length_and_transfer_encoding"},
    {"lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv,
     "GET", false, "differing_content_lengths"},
    {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"sv, "GET", false,
     "bad_content_length"},
    {"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"sv, "GET", false,
     "bad_content_length"},
    {"gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv, "GET",
     false, "unknown_transfer_coding"},
    {"chunked, identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n"sv,
     "GET", false, "bad_transfer_encoding"},
    {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "GET",
     false, "transfer_encoding_in_http_1_0"},
    {"no status line", "Content-Length: 5\r\n\r\n"sv, "GET", false, "bad_status_line"},
    {"a body where a head should be", "<html>\r\n\r\n"sv, "GET", false, "bad_status_line"},
    {"CRLF before the status line", "\r\nHTTP/1.1 200 OK\r\n\r\n"sv, "GET", false,
     "bad_status_line"},
    {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"sv, "GET", false, "bad_status_line"},
    {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"sv, "GET", false,
     "bad_status_line"},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"sv, "GET", false, "bad_status_line"},
    {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"sv, "GET", false, "bad_status_line"},
    {"status 099", "HTTP/1.1 099 OK\r\n\r\n"sv, "GET", false, "bad_status"},
    {"status 600 is passed on", "HTTP/1.1 600 OK\r\nContent-Length: 5\r\n\r\n"sv, "GET", true,
     "600 length:5 keep"},
    {"status 999 is passed on", "HTTP/1.1 999 Nothing\r\n\r\n"sv, "GET", true,
     "999 until_close close"},
    {"bare CR", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"sv, "GET", false, "bare_cr"},
    {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"sv, "GET", false, "bare_lf"},
    {"NUL", "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"sv, "GET", false, "nul_byte"},
    {"NUL in the reason", "HTTP/1.1 200 \0\r\n\r\n"sv, "GET", false, "nul_byte"},
    {"space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n"sv, "GET", false,
     "space_before_colon"},
    {"obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"sv, "GET", false, "obs_fold"},
    {"empty field name", "HTTP/1.1 200 OK\r\n: a\r\n\r\n"sv, "GET", false, "empty_field_name"},
    {"no colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n"sv, "GET", false, "no_colon"},
};

constexpr ChunkCase kChunkCases[] = {
    {"no content", "0\r\n\r\n"sv, "", ""},
    {"two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"sv, "", "hello world"},
    {"hex digits of both cases", "a\r\n0123456789\r\nB\r\n0123456789x\r\n0\r\n\r\n"sv, "",
     "01234567890123456789x"},
    {"leading zeros", "0005\r\nhello\r\n000\r\n\r\n"sv, "", "hello"},
    {"content that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"sv, "",
     "0\r\n\r\n\r\n"},
    {"extensions", "5;a;b=c;d=\"e;\\\"f\"\r\nhello\r\n0;last\r\n\r\n"sv, "", "hello"},
    {"trailers", "5\r\nhello\r\n0\r\nX: 1\r\nY:\r\n\r\n"sv, "", "hello"},

    {"size with a prefix", "0x2\r\nab\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"negative size", "-1\r\na\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"size with a plus", "+1\r\na\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"size with an underscore", "6_0\r\n"sv, "bad_chunk_size", ""},
    {"size with a space after it", "5 \r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"size with a space before it", " 5\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"no size", "\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"no size but an extension", ";a=b\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"size of 2^63", "8000000000000000\r\n"sv, "chunk_size_overflow", ""},
    {"size of 2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_overflow", ""},
    {"too many leading zeros", "00000000000000005\r\nhello\r\n0\r\n\r\n"sv, "chunk_size_overflow",
     ""},
    {"LF alone after the size", "5\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"CR alone after the size", "5\rhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"no CRLF after the content", "5\r\nhello0\r\n\r\n"sv, "bad_chunk_end", ""},
    {"LF alone after the content", "5\r\nhello\n0\r\n\r\n"sv, "bad_chunk_end", ""},
    {"CR and no LF after the content", "5\r\nhello\rx0\r\n\r\n"sv, "bad_chunk_end", ""},
    {"content longer than its size", "4\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_end", ""},
    {"LF alone at the end", "0\r\n\n"sv, "bad_trailer", ""},
    {"CR and no LF at the end", "0\r\n\rx"sv, "bad_chunk_end", ""},
    {"blank before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"blank in an extension", "5; a\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"extension without a name", "5;\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"extension without a value", "5;a=\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"two values", "5;a=b=c\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"text after a quoted value", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"line end in a quoted value", "5;a=\"b\r\n\"\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension",
     ""},
    {"LF in an extension", "5;a\nhello\r\n0\r\n\r\n"sv, "bad_chunk_extension", ""},
    {"CR in an extension", "5;a=val\rue\r\nhello\r\n0\r\n\r\n"sv, "bad_chunk_size", ""},
    {"NUL in an extension", "5;a=\"\0\"\r\n"sv, "bad_chunk_extension", ""},
    {"trailer without a name", "0\r\n: x\r\n\r\n"sv, "bad_trailer", ""},
    {"trailer without a colon", "0\r\nX\r\n\r\n"sv, "bad_trailer", ""},
    {"space before a trailer's colon", "0\r\nX : y\r\n\r\n"sv, "bad_trailer", ""},
    {"obs-fold in trailers", "0\r\nX: y\r\n z\r\n\r\n"sv, "bad_trailer", ""},
    {"NUL in a trailer", "0\r\nX: \0\r\n\r\n"sv, "bad_trailer", ""},
    {"bare LF in a trailer", "0\r\nX: y\n\r\n"sv, "bad_trailer", ""},
    {"bare CR in a trailer", "0\r\nX: y\rz\r\n\r\n"sv, "bad_trailer", ""},
};

// Beyond the limits, which no setting changes.
std::span<const ChunkCase> chunk_limit_cases() {
  static const std::string extensions =
      "1;a=" + std::string(5'000, 'x') + "\r\na\r\n1;a=" + std::string(5'000, 'x') +
      "\r\nb\r\n0\r\n\r\n";
  static const std::string trailers = "0\r\nX: " + std::string(32 << 10, 'x') + "\r\n\r\n";
  static const std::vector<ChunkCase> rows = {
      {"extensions of more than 8 KiB in one body", extensions, "chunk_extensions_too_long", ""},
      {"trailers of more than 32 KiB", trailers, "trailers_too_long", ""},
  };
  return rows;
}

}  // namespace

std::span<const ResponseCase> response_cases() { return kResponseCases; }

std::span<const ChunkCase> chunk_cases() {
  static const auto rows = [] {
    std::vector<ChunkCase> all(std::begin(kChunkCases), std::end(kChunkCases));
    all.insert(all.end(), chunk_limit_cases().begin(), chunk_limit_cases().end());
    return all;
  }();
  return rows;
}

}  // namespace segue::gateway::http1
