#include <string>
#include <vector>

#include "tests/gateway/http1_cases.hpp"

namespace segue::gateway::http1 {
namespace {

using namespace std::string_view_literals;

constexpr RequestCase kRequestCases[] = {
    // Request lines and versions
    {"a plain request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0, "GET / a none keep"},
    {"one CRLF before the request line is skipped", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET / a none keep"},
    {"two CRLFs before the request line", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "bad_request_line"},
    {"LF before the request line", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bare_lf"},
    {"two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "extra_blank"},
    {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "extra_blank"},
    {"space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_method"},
    {"tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_method"},
    {"tab after the space", "GET \t/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "extra_blank"},
    {"tab before the version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "no_version"},
    {"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "extra_blank"},
    {"HTTP/0.9 request", "GET /\r\n\r\n"sv, 400, "no_version"},
    {"HTTP/0.9 in the line", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"HTTP/2.0 in the line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv, 505, "unsupported_version"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, 505, "unsupported_version"},
    {"HTTP/1.2 is treated as 1.1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"sv, 0, "GET / a none keep"},
    {"HTTP/1.2 without Host", "GET / HTTP/1.2\r\n\r\n"sv, 400, "missing_host"},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"another protocol", "GET / ICY/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"version without a dot", "GET / HTTP/111\r\nHost: a\r\n\r\n"sv, 400, "bad_version"},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "no_version"},
    {"method alone", "GET\r\nHost: a\r\n\r\n"sv, 400, "bad_request_line"},
    {"bytes of a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, 400,
     "control_byte"},

    // Methods
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"sv, 405, "connect_method"},
    {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 405, "trace_method"},
    {"a method nobody knows is forwarded", "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "PURGE / a none keep"},
    {"methods are case-sensitive", "get / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0, "get / a none keep"},
    {"colon in the method", "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_method"},
    {"non-ASCII method", "GET\xc3\x9f / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_method"},
    {"method of 33 bytes", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 501,
     "method_too_long"},

    // Targets
    {"target with a query", "GET /a/b?x=1&y=%20 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET /a/b?x=1&y=%20 a none keep"},
    {"dot segments are left to routing", "GET /a/../b//c/%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET /a/../b//c/%2e%2e a none keep"},
    {"fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "fragment_in_target"},
    {"raw UTF-8 in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "non_ascii_target"},
    {"control byte in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "control_byte"},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "control_byte"},
    {"relative target", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_target"},
    {"authority as target of GET", "GET a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"sv, 400,
     "bad_target"},
    {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bad_target"},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0, "OPTIONS * a none keep"},
    {"asterisk with another method", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "asterisk_target"},
    {"absolute-form replaces Host", "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET /x?y b:81 none keep"},
    {"absolute-form, scheme in any case", "GET HTTPS://b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET / b none keep"},
    {"absolute-form without a path", "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET / b none keep"},
    {"absolute-form without a path but a query", "GET http://b?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     0, "GET /?x=1 b none keep"},
    {"absolute-form without a path of OPTIONS", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     0, "OPTIONS * b none keep"},
    {"absolute-form needs Host all the same", "GET http://b/ HTTP/1.1\r\n\r\n"sv, 400,
     "missing_host"},
    {"absolute-form with userinfo", "GET http://u:p@b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "userinfo_in_target"},
    {"absolute-form, an at sign in the path", "GET http://b/@c HTTP/1.1\r\nHost: a\r\n\r\n"sv, 0,
     "GET /@c b none keep"},
    {"absolute-form without an authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "bad_target_authority"},
    {"absolute-form with a bad port", "GET http://b:99999/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400,
     "bad_target_authority"},
    {"absolute-form in HTTP/1.0", "GET http://b/x HTTP/1.0\r\n\r\n"sv, 0, "GET /x b none close"},

    // Host
    {"no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"sv, 400, "missing_host"},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"sv, 0, "GET /  none close"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"sv, 400, "empty_host"},
    {"empty Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: \r\n\r\n"sv, 0, "GET /  none close"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"sv, 400, "duplicate_host"},
    {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"sv, 400, "duplicate_host"},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv, 400,
     "duplicate_host"},
    {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"sv, 400, "bad_host"},
    {"Host with a tab", "GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n"sv, 400, "bad_host"},
    {"Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv, 400, "bad_host"},
    {"Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"sv, 400, "bad_host"},
    {"Host with a list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"sv, 400, "bad_host"},
    {"Host with an escape", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n"sv, 400, "bad_host"},
    {"Host with a byte beyond ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"sv, 400,
     "bad_host"},
    {"Host with a port", "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n"sv, 0,
     "GET / a.example:8080 none keep"},
    {"Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"sv, 0, "GET / a: none keep"},
    {"Host with a port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"sv, 400, "bad_host"},
    {"Host with a port that overflows", "GET / HTTP/1.1\r\nHost: a:4294967376\r\n\r\n"sv, 400,
     "bad_host"},
    {"Host with letters for a port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"sv, 400, "bad_host"},
    {"Host that is only a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"sv, 400, "bad_host"},
    {"Host as IPv6 literal", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"sv, 0,
     "GET / [2001:db8::1]:80 none keep"},
    {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"sv, 400, "bad_host"},
    {"Host with letters in brackets", "GET / HTTP/1.1\r\nHost: [xyz]\r\n\r\n"sv, 400, "bad_host"},
    {"Host with text after the bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"sv, 400,
     "bad_host"},

    // Field lines
    {"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"sv, 400, "obs_fold"},
    {"obs-fold with a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n"sv, 400, "obs_fold"},
    {"obs-fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"sv, 400, "obs_fold"},
    {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, 400, "bare_lf"},
    {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"sv, 400, "bare_lf"},
    {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"sv, 400, "bare_lf"},
    {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n"sv, 400, "bare_cr"},
    {"bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "bare_cr"},
    {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"sv, 400, "bare_cr"},
    {"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\0"
                       "2\r\n\r\n"sv, 400, "nul_byte"},
    {"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: 1\r\n\r\n"sv, 400, "nul_byte"},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400, "nul_byte"},
    {"control byte in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x0b\r\n\r\n"sv, 400,
     "control_byte"},
    {"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"sv, 400, "control_byte"},
    {"space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"sv, 400,
     "space_before_colon"},
    {"tab before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX\t: 5\r\n\r\n"sv, 400,
     "space_before_colon"},
    {"space in a name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: 5\r\n\r\n"sv, 400, "bad_field_name"},
    {"empty field name", "GET / HTTP/1.1\r\nHost: a\r\n: 5\r\n\r\n"sv, 400, "empty_field_name"},
    {"bracket in a name", "GET / HTTP/1.1\r\nHost: a\r\nX[1]: 5\r\n\r\n"sv, 400,
     "bad_field_name"},
    {"byte beyond ASCII in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\xff: 5\r\n\r\n"sv, 400,
     "bad_field_name"},
    {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"sv, 400, "no_colon"},
    {"tabs and spaces around a value", "GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n"sv, 0,
     "GET / a none keep"},
    {"no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n"sv, 0, "GET / a none keep"},
    {"bytes beyond ASCII in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n"sv, 0,
     "GET / a none keep"},
    {"names of all token characters",
     "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n"sv, 0, "GET / a none keep"},

    // Framing
    {"content length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"sv, 0,
     "POST / a length:5 keep"},
    {"content length zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"sv, 0,
     "POST / a length:0 keep"},
    {"content length of GET", "GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\n"sv, 0,
     "GET / a length:5 keep"},
    {"largest content length",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n"sv, 0,
     "POST / a length:9223372036854775807 keep"},
    {"content length of 2^63",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n"sv, 400,
     "bad_content_length"},
    {"content length overflows",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n"sv, 400,
     "bad_content_length"},
    {"content length twice, equal",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"sv, 400,
     "duplicate_content_length"},
    {"content length twice, different",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv, 400,
     "duplicate_content_length"},
    {"content length as a list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n"sv,
     400, "bad_content_length"},
    {"content length with a plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n"sv,
     400, "bad_content_length"},
    {"content length empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"sv, 400,
     "bad_content_length"},
    {"content length negative", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n"sv, 400,
     "bad_content_length"},
    {"content length in hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"sv, 400,
     "bad_content_length"},
    {"content length with an underscore",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n"sv, 400, "bad_content_length"},
    {"content length with a space", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 0\r\n\r\n"sv,
     400, "bad_content_length"},
    {"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 0,
     "POST / a chunked keep"},
    {"chunked in any case", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n"sv,
     0, "POST / a chunked keep"},
    {"chunked and a length",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"sv,
     400, "length_and_transfer_encoding"},
    {"length and an unknown coding",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n"sv,
     400, "length_and_transfer_encoding"},
    {"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"sv, 501,
     "unknown_transfer_coding"},
    {"unknown coding before chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow, chunked\r\n\r\n"sv, 501,
     "unknown_transfer_coding"},
    {"gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv,
     501, "unknown_transfer_coding"},
    {"gzip without chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"sv,
     400, "bad_transfer_encoding"},
    {"chunked, gzip", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"sv,
     400, "bad_transfer_encoding"},
    {"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked, identity",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"identity, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked in two fields",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
     "\r\n"sv, 400, "bad_transfer_encoding"},
    {"chunked and an empty field",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n"sv,
     400, "bad_transfer_encoding"},
    {"chunked and identity in two fields",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"
     "\r\n"sv, 400, "bad_transfer_encoding"},
    {"empty coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked and an empty member",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked with a parameter",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n"sv, 400,
     "bad_transfer_encoding"},
    {"chunked in quotes", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"sv,
     400, "bad_transfer_encoding"},
    {"chunked with a vertical tab",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b" "chunked\r\n\r\n"sv, 400,
     "control_byte"},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"sv,
     400, "transfer_encoding_in_http_1_0"},
    {"chunked in HTTP/1.0 kept alive",
     "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"sv, 400,
     "transfer_encoding_in_http_1_0"},
    {"length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n"sv, 0,
     "POST /  length:3 close"},
    {"a name that overflows no length",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length0000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000:\r\nContent-Length: 6\r\n\r\n"sv, 0,
     "POST / a length:6 keep"},
    {"the underscore twin of Transfer-Encoding frames nothing",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\n"sv, 0,
     "POST / a length:3 keep"},

    // Connection, Expect, Max-Forwards
    {"Connection: close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"sv, 0,
     "GET / a none close"},
    {"Connection: keep-alive, close",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: x , close\r\n\r\n"sv, 0,
     "GET / a none close"},
    {"keep-alive in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"sv, 0,
     "GET /  none keep"},
    {"Expect: 100-continue",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"sv, 0,
     "POST / a length:1 keep"},
    {"another Expect", "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"sv, 417,
     "unknown_expectation"},
    {"Expect with more than 100-continue",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, tea\r\n\r\n"sv, 417,
     "unknown_expectation"},
    {"Max-Forwards of OPTIONS", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"sv, 0,
     "OPTIONS / a none keep"},
    {"Max-Forwards of OPTIONS with an empty body",
     "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n"sv, 0,
     "OPTIONS / a none keep"},
    {"Max-Forwards: 0 of OPTIONS with a body",
     "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nContent-Length: 1\r\n\r\n"sv, 400,
     "options_body"},
    {"Max-Forwards: 0 of OPTIONS with a chunked body",
     "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nTransfer-Encoding: chunked\r\n"
     "\r\n"sv,
     400, "options_body"},
    {"OPTIONS * with a body", "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"sv,
     400, "options_body"},
    {"Max-Forwards of OPTIONS is no number",
     "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n"sv, 400, "bad_max_forwards"},
    {"Max-Forwards of GET means nothing", "GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n"sv,
     0, "GET / a none keep"},
};

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// One step on either side of the limits as they are by default.
std::span<const RequestCase> limit_cases() {
  static const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  static const std::string longest_target = "/" + std::string((8 << 10) - 1, 'a');
  static const std::string read_as = "GET " + longest_target + " a none keep";
  static const std::string target_fits =
      "GET " + longest_target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  static const std::string target_too_long =
      "GET " + longest_target + "a HTTP/1.1\r\nHost: a\r\n\r\n";
  static const std::string fields_fit = start + repeated("X: 1\r\n", 99) + "\r\n";
  static const std::string too_many_fields = start + repeated("X: 1\r\n", 100) + "\r\n";
  static const std::string head_too_large = start + "X: " + std::string(32 << 10, 'x') + "\r\n\r\n";
  static const std::string connection_too_long =
      start + "Connection: a" + repeated(", a", 100) + "\r\n\r\n";
  static const std::vector<RequestCase> rows = {
      {"the longest target", target_fits, 0, read_as},
      {"a target of one byte more", target_too_long, 414, "target_too_long"},
      {"as many fields as there may be", fields_fit, 0, "GET / a none keep"},
      {"one field more", too_many_fields, 431, "too_many_fields"},
      {"a head of more than 32 KiB", head_too_large, 431, "head_too_large"},
      {"Connection with 101 members", connection_too_long, 431, "connection_too_long"},
  };
  return rows;
}

}  // namespace

std::span<const RequestCase> request_cases() {
  static const auto rows = [] {
    std::vector<RequestCase> all(std::begin(kRequestCases), std::end(kRequestCases));
    all.insert(all.end(), limit_cases().begin(), limit_cases().end());
    return all;
  }();
  return rows;
}

}  // namespace segue::gateway::http1
