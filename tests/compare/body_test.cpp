// What bodies other than JSON are found to differ in, and which cannot be compared.

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>

#include "tests/compare/responses.hpp"

namespace segue::test {
namespace {

using compare::Verdict;
using Lines = std::vector<std::string>;

struct Case {
  const char* left;
  const char* right;
  Lines found;
};

void check(const char* type, const std::vector<Case>& cases) {
  Comparing comparing;
  for (const Case& each : cases) {
    INFO(each.left << "   against   " << each.right);
    CHECK(lines_of(comparing(Response().body(type, each.left),
                             Response().body(type, each.right))) == each.found);
  }
}

std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string input(text);
  std::string out(deflateBound(&stream, input.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string brotli(std::string_view text) {
  std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 64, '\0');
  std::size_t size = out.size();
  REQUIRE(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(),
                                reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE);
  out.resize(size);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

Response coded(const char* coding, const std::string& content) {
  Response response;
  response.header("Content-Encoding", coding).body("application/json", content);
  response.exchange.mutable_response()->mutable_body()->set_content_coding(coding);
  return response;
}

TEST_CASE("bodies are compared without their content codings") {
  Comparing comparing;
  const std::string_view left = R"({"a":[1,2,3],"b":"the same text, and some more of it"})";
  const std::string_view right = R"({"a":[1,2,4],"b":"the same text, and some more of it"})";
  const std::vector<std::pair<const char*, std::string (*)(std::string_view)>> codings{
      {"gzip", [](std::string_view text) { return deflated(text, 31); }},
      {"deflate", [](std::string_view text) { return deflated(text, 15); }},
      {"br", brotli},
      {"zstd", zstd},
      {"identity", [](std::string_view text) { return std::string(text); }},
      {"gzip, br", [](std::string_view text) { return brotli(deflated(text, 31)); }}};
  for (const auto& [coding, encode] : codings) {
    INFO(coding);
    CHECK(comparing(json(left), coded(coding, encode(left))).verdict == Verdict::same);
    CHECK(lines_of(comparing(coded(coding, encode(left)), json(right))) ==
          Lines{"value $.a[2] ($.a[*]): 3 -> 4"});
  }
  Response undone = coded("gzip", std::string(left));
  undone.exchange.mutable_response()->mutable_body()->set_coding_undone(true);
  CHECK(comparing(undone, json(left)).verdict == Verdict::same);
}

TEST_CASE("a coding that cannot be undone makes bodies incomparable, unless they are the same") {
  Comparing comparing;
  const auto reason = [&](const Response& left, const Response& right) {
    const auto& comparison = comparing(left, right);
    return comparison.verdict == Verdict::incomparable ? comparison.reason : "comparable";
  };
  CHECK(reason(coded("gzip", "no gzip"), json("{}")) == "content coding damaged");
  CHECK(reason(coded("gzip", "no gzip"), coded("gzip", "none")) == "content coding damaged");
  CHECK(reason(coded("compress", "x"), json("{}")) == "unknown content coding");
  CHECK(reason(coded("br", brotli(std::string(200'000, ' '))), json("{}")) == "decoded too long");
  CHECK(comparing(coded("compress", "x"), coded("compress", "x")).verdict == Verdict::same);
}

TEST_CASE("what is not whole on record is never equal") {
  Comparing comparing;
  const auto reason = [&](v1::Capture capture) {
    Response partial = json("{}");
    partial.exchange.mutable_response()->mutable_body()->set_capture(capture);
    const auto& comparison = comparing(json("{}"), partial);
    const auto again = comparing(partial, json("{}"));
    CHECK(again.verdict == comparison.verdict);
    CHECK(comparing(partial, partial).verdict == Verdict::incomparable);
    return comparing(json("{}"), partial).reason;
  };
  CHECK(reason(v1::CAPTURE_TRUNCATED) == "truncated");
  CHECK(reason(v1::CAPTURE_SKIPPED) == "skipped");
  Response broken = json("{}");
  broken.exchange.set_outcome(v1::OUTCOME_UPSTREAM_RESET);
  CHECK(comparing(broken, json("{}")).reason == "broken off");
  CHECK(comparing(broken, broken).reason == "broken off");
  Response ended = json("{}");
  ended.exchange.set_outcome(v1::OUTCOME_INTERRUPTED);
  CHECK(comparing(json("{}"), ended).reason == "broken off");
  broken.header("x", "y");
  CHECK(comparing(broken, json("{}")).verdict == Verdict::different);
}

// On record with its first bytes at most, and a digest of all of it, which begins with `digest`.
Response digested(std::string_view type, std::string_view first, std::uint64_t size, char digest) {
  Response response;
  response.body(type, first);
  auto* const body = response.exchange.mutable_response()->mutable_body();
  body->set_capture(first.empty() ? v1::CAPTURE_SKIPPED : v1::CAPTURE_TRUNCATED);
  body->set_size(size);
  body->set_sha256(std::string(32, digest));
  return response;
}

TEST_CASE("bodies that are not whole on record are the same when their digests are") {
  Comparing comparing;
  for (const char* type : {"image/png", "application/json", "text/html", ""}) {
    INFO(type);
    const Response left = digested(type, "{\"a\"", 900, '\1');
    CHECK(comparing(left, left).verdict == Verdict::same);
    CHECK(comparing(left, digested(type, "", 900, '\1')).verdict == Verdict::same);
    Response coded = left;
    coded.header("Content-Encoding", "gzip");
    CHECK(comparing(coded, coded).verdict == Verdict::same);
    Response without = left;
    without.exchange.mutable_response()->mutable_body()->clear_sha256();
    CHECK(comparing(left, without).reason == "truncated");
    CHECK(comparing(without, left).reason == "truncated");
    Response broken = left;
    broken.exchange.set_outcome(v1::OUTCOME_INTERRUPTED);
    CHECK(comparing(left, broken).verdict == Verdict::incomparable);
  }
}

TEST_CASE("bodies that are not whole on record differ by length and digest") {
  Comparing comparing;
  const std::string_view other = "SHA-256 0202020202020202";
  const Response png = digested("image/png", "\x89PNG", 900, '\1');
  CHECK(lines_of(comparing(png, digested("image/png", "", 900, '\2'))) ==
        Lines{"value : 900 bytes, SHA-256 0101010101010101 -> 900 bytes, " + std::string(other)});
  CHECK(lines_of(comparing(png, digested("image/png", "\x89PNG", 901, '\2'))) ==
        Lines{"length : 900 bytes, SHA-256 0101010101010101 -> 901 bytes, " + std::string(other)});
  CHECK(comparing(digested("", "\xff\x01 a", 900, '\1'), digested("", "\xff\x01 b", 900, '\2'))
            .differences.size() == 1);

  Response whole = Response().body("image/png", "abc");
  whole.exchange.mutable_response()->mutable_body()->set_sha256(std::string(32, '\1'));
  CHECK(comparing(whole, digested("image/png", "abc", 4, '\2')).differences.size() == 1);
}

TEST_CASE("other digests say nothing where more than octets is compared") {
  Comparing comparing;
  const auto reason = [&](std::string_view type, std::string_view first) {
    const auto& comparison =
        comparing(digested(type, first, 900, '\1'), digested(type, first, 900, '\2'));
    CHECK(comparison.differences.empty());
    return comparison.reason;
  };
  CHECK(reason("application/json", "{\"a\"") == "truncated");
  CHECK(reason("text/plain", "one line") == "truncated");
  CHECK(reason("text/html", "<p>") == "truncated");
  CHECK(reason("", "cut within Gr\xc3") == "truncated");
  CHECK(reason("application/octet-stream", "cut within \xf0\x9f\x98") == "truncated");
  CHECK(reason("", "") == "skipped");
  Response left = digested("image/png", "\x1f\x8b", 900, '\1');
  Response right = digested("image/png", "\x1f\x8b", 900, '\2');
  for (Response* const coded : {&left, &right}) coded->header("Content-Encoding", "gzip");
  CHECK(comparing(left, right).reason == "truncated");
  CHECK(comparing(left, digested("image/png", "\x1f\x8b", 900, '\1')).reason == "truncated");
}

TEST_CASE("a body that the right backend alone breaks off or codes wrongly is a difference") {
  Comparing comparing;
  Response broken = json("{}");
  broken.exchange.set_outcome(v1::OUTCOME_UPSTREAM_RESET);
  CHECK(lines_of(comparing(json("{}"), broken)) == Lines{"malformed : {} -> broken off (reset)"});
  broken.exchange.set_outcome(v1::OUTCOME_UPSTREAM_TIMEOUT);
  CHECK(lines_of(comparing(json("{}"), broken)) == Lines{"malformed : {} -> broken off (timeout)"});
  CHECK(lines_of(comparing(json("{}"), coded("gzip", "no gzip"))) ==
        Lines{"malformed : {} -> content coding damaged"});
  Response cut = json("{}");
  cut.exchange.mutable_response()->mutable_body()->set_capture(v1::CAPTURE_TRUNCATED);
  CHECK(comparing(cut, broken).verdict == Verdict::incomparable);
}

TEST_CASE("a body that one side has alone is missing or extra") {
  Comparing comparing;
  CHECK(lines_of(comparing(json("{}"), Response())) == Lines{"missing : {} -> "});
  CHECK(lines_of(comparing(Response(), json("{}"))) == Lines{"extra :  -> {}"});
  CHECK(comparing(Response(), json("")).verdict == Verdict::same);
}

TEST_CASE("text is compared by lines, and an insertion is one difference") {
  check("text/plain", {{"a\nb\nc\n", "a\nc\n", {"missing line 2 (line [*]): b -> "}},
                       {"a\nb", "a\nx\nb", {"extra line 2 (line [*]):  -> x"}},
                       {"a\nb", "a\nc", {"value line 2 (line [*]): b -> c"}},
                       {"a", "a\n", {"extra line 2 (line [*]):  -> "}},
                       {"1\n2\n3\n4",
                        "0\n1\n2\n4",
                        {"extra line 1 (line [*]):  -> 0", "missing line 3 (line [*]): 3 -> "}}});
  check("", {{"a b", "a c", {"value line 1 (line [*]): a b -> a c"}},
             {"{\"a\":1}", "{\"a\":2}", {"value $.a: 1 -> 2"}},
             {"{a", "{b", {"value line 1 (line [*]): {a -> {b"}}});
  check("application/x-own", {{"[a", "[b", {"value line 1 (line [*]): [a -> [b"}},
                              {"{\"a\":1}", "{\"a\":2}", {"value $.a: 1 -> 2"}}});
}

TEST_CASE("everything else is compared by length and digest") {
  check("image/png",
        {{"abc",
          "abd",
          {"value : 3 bytes, SHA-256 ba7816bf8f01cfea -> 3 bytes, SHA-256 a52d159f262b2c6d"}},
         {"abc",
          "abcd",
          {"length : 3 bytes, SHA-256 ba7816bf8f01cfea -> 4 bytes, SHA-256 88d4266fd4e6338d"}}});
  check("", {{"\xff\x01",
              "\xff\x02",
              {"value : 2 bytes, SHA-256 437cb43a30226e63 -> 2 bytes, SHA-256 1cfcb0bd04645357"}}});
}

TEST_CASE("XML is compared by structure") {
  check(
      "application/atom+xml",
      {{"<a x='1' y='2'/>", "<a y=\"2\" x=\"1\"></a>", {}},
       {"<a><b>x</b></a>", "<?xml version='1.0'?><!-- c -->\n<a>\n <b> x </b><!-- d -->\n</a>", {}},
       {"<a><b>x</b><b>y</b></a>", "<a><b>x</b><b>z</b></a>", {"value /a/b[2] (/a/b): y -> z"}},
       {"<a x='1'/>", "<a x='2' y='3'/>", {"value /a/@x: 1 -> 2", "extra /a/@y:  -> 3"}},
       {"<a><b/><c/></a>", "<a><c/></a>", {"missing /a/b: <b> -> "}},
       {"<a><i n='1'/><i n='2'/></a>",
        "<a><i n='0'/><i n='1'/><i n='2'/></a>",
        {"extra /a/i[1] (/a/i):  -> <i>"}},
       {"<a><b>1</b><b>2</b></a>", "<a><b>2</b><b>1</b></a>", {"order /a: <a> 1 2 -> <a> 2 1"}},
       {"<a/>", "<b/>", {"missing /a: <a> -> ", "extra /b:  -> <b>"}},
       {"<a>&lt;&#65;<![CDATA[ & ]]></a>", "<a>&lt;A &amp;</a>", {}},
       {"<a>x<!-- c --> <!-- d -->y<![CDATA[z]]></a>", "<a>x yz</a>", {}},
       {"<a>x<!-- c -->y</a>", "<a>x y</a>", {"value /a: xy -> x y"}},
       {"<a/>", "<a>", {"malformed : <a/> -> not XML: <a>"}}});
}

TEST_CASE("what stands outside the root of XML, or behind a NUL, is not passed over") {
  Comparing comparing;
  const auto kinds = [&](std::string_view left, std::string_view right) {
    const auto& found =
        comparing(Response().body("text/xml", left), Response().body("text/xml", right));
    return found.differences.empty() ? "none" : name_of(found.differences.front().kind);
  };
  for (const char* bad : {"Warning: database is down <r/>Fatal error", "x<r/>", "<r/>x", "<r/><r/>",
                          "<r/><![CDATA[ ]]>", "only text", "<!-- c -->"}) {
    INFO(bad);
    CHECK(kinds("<r/>", bad) == "malformed");
    CHECK(kinds(bad, "<r/>") == "malformed");
  }
  using namespace std::string_view_literals;
  CHECK(kinds("<r/>", "<r/>\0<s/>"sv) == "malformed");
  CHECK(kinds("<r>a</r>", "<r>a\0b</r>"sv) == "malformed");
  CHECK(kinds("<r/>", " \n<?xml version='1.0'?><!-- c --><r/>\n<!-- d -->\n") == "none");
  const auto wide = [](std::string_view text) {
    std::string made = "\xff\xfe";
    for (const char c : text) (made += c) += '\0';
    return made;
  };
  CHECK(kinds("<r>a</r>", wide("<r>a</r>")) == "none");
  CHECK(kinds("<r>a</r>", wide("<r>a</r>\0x"sv)) == "malformed");
}

TEST_CASE("HTML is compared as a browser reads it") {
  check("text/html; charset=utf-8",
        {{"<p class=a>Hello <b>you</b>",
          "<!doctype html><html><head></head><body>"
          "<P CLASS='a'>\n  Hello <b>you</b></p></body></html>",
          {}},
         {"<ul><li>1<li>2</ul>",
          "<ul><li>1</li><li>3</li></ul>",
          {"value /html/body/ul/li[2] (/html/body/ul/li): 2 -> 3"}},
         {"<p class=a>x</p><!-- 1 -->",
          "<p class=b>x</p><!-- 2 -->",
          {"value /html/body/p/@class: a -> b"}},
         {"<input name=csrf value=abcdef0123456789>",
          "<input name=csrf value=''>",
          {"pattern /html/body/input/@value: abcdef0123456789 -> "}},
         {"<pre>a  b</pre>", "<pre>a b</pre>", {"value /html/body/pre: a  b -> a b"}},
         {"<p>x<!-- c --> <!-- d -->y</p>", "<p>x y</p>", {}},
         {"<p>x<!-- c -->y<b>z</b></p>", "<p>xy<b>z</b></p>", {}},
         {"<pre><b>1</b> <b>2</b></pre>",
          "<pre><b>1</b>\n<b>2</b></pre>",
          {"value /html/body/pre:   -> \n"}},
         {"<x-card>1</x-card>", "<x-card>2</x-card>", {"value /html/body/x-card: 1 -> 2"}}});
}

TEST_CASE("markup that would take a parser apart is not compared, and is no crash") {
  Comparing comparing;
  std::string deep;
  std::string formatting;
  for (int i = 0; i < 200'000; ++i) deep += "<div>";
  for (int i = 0; i < 20'000; ++i) formatting += "<b id=" + std::to_string(i) + ">";
  for (int i = 0; i < 20'000; ++i) formatting += "<p>";
  for (const std::string& body : {deep, formatting}) {
    const auto& comparison =
        comparing(Response().body("text/html", body), Response().body("text/html", body + "x"));
    CHECK(comparison.verdict == Verdict::incomparable);
    CHECK(comparison.reason == "too large");
  }
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "<a>";
  std::string closing;
  for (int i = 0; i < 100'000; ++i) closing += "</a>";
  CHECK(comparing(Response().body("text/xml", nested + closing),
                  Response().body("text/xml", nested + "x" + closing))
            .reason == "too large");
  const std::string bomb =
      "<!DOCTYPE a [<!ENTITY b \"xxxxxxxxxx\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
  CHECK(lines_of(comparing(Response().body("text/xml", bomb),
                           Response().body("text/xml", "<a>d</a>"))) ==
        Lines{"value /a: &c; -> d"});
}

TEST_CASE("what redaction hid in a body is neither equal nor different") {
  Comparing comparing;
  Response left = json(R"({"a":"***","b":[{"c":"x ***"}],"d":1})");
  Response right = json(R"({"a":{"e":1},"b":[{"c":"y ***"}],"d":1})");
  CHECK(lines_of(comparing(left, right)).size() == 2);
  left.redacted("json:$.a", v1::Redaction::MASK).redacted("pattern:card", v1::Redaction::MASK);
  const auto& comparison = comparing(left, right);
  CHECK(comparison.verdict == Verdict::same);
  CHECK(comparison.hidden == Lines{"$.a", "$.b[*].c"});

  CHECK(comparing(left, left).hidden == Lines{"$.a", "$.b[*].c"});
  CHECK(lines_of(comparing(left, json(R"({"b":[{"c":"x"}],"d":2})"))) ==
        Lines{"missing $.a: \"***\" -> ", "value $.d: 1 -> 2"});
}

TEST_CASE("text that only looks a little like what redaction leaves is compared") {
  Comparing comparing;
  const std::string words = "note: these: words stand here, and are many more than sixty of them, ";
  Response left = json("{\"a\":\"" + words + "1\",\"b\":\"five *** stars\"}");
  Response right = json("{\"a\":\"" + words + "2\",\"b\":\"no *** stars\"}");
  for (Response* response : {&left, &right})
    response->redacted("json:$.x", v1::Redaction::ENCRYPT)
        .redacted("json:$.y", v1::Redaction::MASK)
        .redacted("pattern:card", v1::Redaction::ENCRYPT);
  const auto& comparison = comparing(left, right);
  CHECK(comparison.hidden.empty());
  CHECK(comparison.differences.size() == 2);

  Response form;
  Response other;
  form.body("application/x-www-form-urlencoded", "pin=***&a=1");
  other.body("application/x-www-form-urlencoded", "pin=***&a=2");
  form.redacted("form:pin", v1::Redaction::MASK);
  CHECK(comparing(form, other).hidden == Lines{"line [*]"});
}

TEST_CASE("values that are sealed are hidden, hashes are compared, dropped ones are named") {
  Comparing comparing;
  const std::string sealed = "e:k1:" + std::string(80, 'A');
  const std::string other = "e:k1:" + std::string(80, 'B');
  Response left = json("{\"a\":\"" + sealed + "\",\"h\":\"h:k1:aaaaaaaaaaaaaaaaaaaaaa\"}");
  Response right = json("{\"a\":\"" + other + "\",\"h\":\"h:k1:bbbbbbbbbbbbbbbbbbbbbb\"}");
  for (Response* response : {&left, &right})
    response->redacted("json:$.a", v1::Redaction::ENCRYPT)
        .redacted("json:$.h", v1::Redaction::HASH)
        .redacted("json:$..gone", v1::Redaction::DROP);
  const auto& comparison = comparing(left, right);
  CHECK(comparison.hidden == Lines{"$..gone", "$.a"});
  CHECK(lines_of(comparison) == Lines{"value $.h: \"h:k1:aaaaaaaaaaaaaaaaaaaaaa\" -> "
                                      "\"h:k1:bbbbbbbbbbbbbbbbbbbbbb\""});
}

TEST_CASE("a document that redaction hid as a whole is incomparable") {
  Comparing comparing;
  Response left = json("\"***\"");
  left.redacted("json:$", v1::Redaction::MASK);
  CHECK(comparing(left, left).reason == "redacted");
  CHECK(comparing(left, json("{}")).verdict == Verdict::incomparable);
}

}  // namespace
}  // namespace segue::test
