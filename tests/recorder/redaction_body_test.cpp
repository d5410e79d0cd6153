#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "recorder/redaction/body_redactor.hpp"
#include "recorder/redaction/content_coding.hpp"
#include "recorder/redaction/route_rules.hpp"

namespace segue::recorder {
namespace {

const Redactions kRules{.query = {{"q", RedactionMode::mask}, {"gone", RedactionMode::drop}},
                        .json = {{"$..p", RedactionMode::mask}},
                        .form = {{"pin", RedactionMode::mask}, {"gone", RedactionMode::drop}},
                        .patterns = {{PatternKind::email, "email", "", RedactionMode::mask}}};

// The body on record, or why it is not.
std::string recorded(const std::string& body, std::string_view type, std::string_view coding = {},
                     Capture capture = Capture::complete) {
  static BodyRedactor redactor;
  static const RouteRules rules(kRules);
  Substitutes substitutes(nullptr);
  substitutes.start(rules.rules);
  substitutes.enter(1);
  const std::string_view block = body;
  std::string content;
  const RedactedBody redacted =
      redactor.redact({{&block, 1}, body.size(), capture, {}}, {type, coding},
                      {rules.json, rules.text()}, substitutes, content);
  if (redacted.fate == RedactedBody::Fate::dropped) return std::string(redacted.reason);
  return redacted.fate == RedactedBody::Fate::untouched ? body : content;
}

std::string url(const std::string& text) {
  static TextSearch search;
  static const RouteRules rules(kRules);
  Substitutes substitutes(nullptr);
  substitutes.start(rules.rules);
  REQUIRE(search.find(text, rules.text(), Parameters::url));
  std::string out;
  substitutes.replace(text, search.hits(), out);
  return out;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  std::string input = text;
  std::string out(deflateBound(&stream, input.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_CASE("a query parameter is hidden by its decoded name, the rest stays raw") {
  CHECK(url("/a?x=%20+y&q=1%262&z=3") == "/a?x=%20+y&q=***&z=3");
  CHECK(url("/a?%71=1;q=2&Q=3&qq=4&q") == "/a?%71=***&Q=3&qq=4&q");
  CHECK(url("/q=1/a#q=2") == "/q=1/a#q=***");
  CHECK(url("/a?gone=1&b=2&gone=3") == "/a?b=2");
  CHECK(url("/a?gone=1") == "/a?");
  CHECK(url("/a?to=https%3A%2F%2Fx%2F%3Fq%3Dsecret%26b%3D1") ==
        "/a?to=https%3A%2F%2Fx%2F%3Fq%3D***%26b%3D1");
  CHECK(url("/u/a%40b.example/x") == "/u/***/x");
}

TEST_CASE("a form's parameters and a multipart body's parts are hidden by name") {
  CHECK(recorded("a=1&pin=2%203&b", "application/x-www-form-urlencoded") == "a=1&pin=***&b");
  CHECK(recorded("pin=2&a=1", "") == "pin=***&a=1");
  const std::string part = "--b\r\nContent-Disposition: form-data; name=";
  CHECK(recorded(part + "a\r\n\r\n1\r\n" + part + "\"pin\"\r\n\r\n2\r\n2\r\n" + part +
                     "gone\r\n\r\n3\r\n--b--\r\n",
                 "multipart/form-data; boundary=b") ==
        part + "a\r\n\r\n1\r\n" + part + "\"pin\"\r\n\r\n***\r\n--b--\r\n");
  CHECK(recorded(part + "a\r\nContent-Type: application/json\r\n\r\n{\"p\":1}\r\n--b--",
                 "multipart/form-data; boundary=b") ==
        part + "a\r\nContent-Type: application/json\r\n\r\n{\"p\":\"***\"}\r\n--b--");
}

TEST_CASE("JSON is looked for where it may stand") {
  for (const char* type :
       {"application/json", "text/html", "", "what/ever", "text/plain",
        "application/x-www-form-urlencoded", "application/hal+json", "image/png"})
    CHECK(recorded(" {\"p\":1}", type) == " {\"p\":\"***\"}");
  CHECK(recorded("{\"p\":1}\n\n{\"a\":2}\n", "application/x-ndjson") ==
        "{\"p\":\"***\"}\n\n{\"a\":2}\n");
  CHECK(recorded("event: x\ndata: {\"p\":1}\n\n", "text/event-stream") ==
        "event: x\ndata: {\"p\":\"***\"}\n\n");
  CHECK(recorded("\xef\xbb\xbf{\"p\":1}", "application/json") == "\xef\xbb\xbf{\"p\":\"***\"}");
}

TEST_CASE("what a rule may cover and cannot be read is dropped with the reason") {
  CHECK(recorded("{\"p\":1", "application/json") == "redaction: does not parse");
  CHECK(recorded("{\"p\":1", "") == "redaction: does not parse");
  CHECK(recorded("{\"p\":1", "application/json", "", Capture::truncated) == "redaction: not whole");
  CHECK(recorded("pin=1", "application/x-www-form-urlencoded", "", Capture::truncated) ==
        "redaction: not whole");
  CHECK(recorded("--b\r\nx", "multipart/form-data; boundary=b") == "redaction: does not parse");
  CHECK(recorded("x", "text/plain", "compress") == "redaction: unknown content coding");
  CHECK(recorded("x", "text/plain", "gzip") == "redaction: content coding damaged");
  CHECK(recorded("{}", "application/json; charset=utf-16") == "redaction: unknown charset");
  CHECK(recorded(gzip(std::string(9 << 20, 'a')), "text/plain", "gzip") ==
        "redaction: decoded too long");
  const std::string whole = gzip("hello");
  CHECK(recorded(whole.substr(0, whole.size() - 9), "text/plain", "gzip") ==
        "redaction: content coding damaged");
}

TEST_CASE("a coded body in which nothing is hidden stays as it came") {
  const std::string coded = gzip("{\"a\":1}");
  CHECK(recorded(coded, "application/json", "gzip") == coded);
  CHECK(recorded(gzip("{\"p\":1}"), "application/json", "gzip") == "{\"p\":\"***\"}");
  CHECK(recorded(gzip("{\"p\":") + gzip("1}"), "application/json", "gzip") == "{\"p\":\"***\"}");
}

TEST_CASE("binary bodies stay as they came") {
  const std::string octets("\xff\xd8\x00 a@b.example", 16);
  CHECK(recorded(octets, "image/jpeg") == octets);
  CHECK(recorded("\xff\xd8 {\"p\":1}", "application/zip") == "\xff\xd8 {\"p\":1}");
}

TEST_CASE("a body of no type or an unknown one is searched although it is no UTF-8") {
  for (const char* type : {"", "application/octet-stream", "what/ever"}) {
    INFO(type);
    CHECK(recorded("Gr\xfc\xdf"
                   "e a@b.example",
                   type) ==
          "Gr\xfc\xdf"
          "e ***");
    CHECK(recorded("{\"name\":\"Jos\xe9\",\"p\":\"x\"}", type) == "redaction: does not parse");
    CHECK(recorded("{\"name\":\"Jos\xe9\",\"p\":\"x", type, "", Capture::truncated) ==
          "redaction: not whole");
    CHECK(recorded("name=Jos\xe9&pin=12", type) == "name=Jos\xe9&pin=***");
  }
}

TEST_CASE("a part of a multipart body that has no type is text, in UTF-8 or not") {
  const std::string part = "--b\r\nContent-Disposition: form-data; name=comment\r\n";
  const std::string type = "multipart/form-data; boundary=b";
  CHECK(recorded(part + "\r\nGr\xfc\xdf"
                        "e a@b.example\r\n--b--",
                 type) == part +
                              "\r\nGr\xfc\xdf"
                              "e ***\r\n--b--");
  CHECK(recorded(part + "\r\n{\"n\":\"\xe9\",\"p\":1}\r\n--b--", type) ==
        "redaction: does not parse");
  const std::string image = part + "Content-Type: image/png\r\n\r\n\xff\xd8 a@b.example\r\n--b--";
  CHECK(recorded(image, type) == image);
}

TEST_CASE("a part whose header fields name a coding or two types is not read past them") {
  const std::string part = "--b\r\nContent-Disposition: form-data; name=a\r\n";
  const std::string type = "multipart/form-data; boundary=b";
  CHECK(recorded(part + "Content-Encoding: gzip\r\nContent-Transfer-Encoding: binary\r\n\r\nx\r\n"
                        "--b--",
                 type) == "redaction: does not parse");
  CHECK(recorded(part + "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 8bit\r\n"
                        "\r\nx\r\n--b--",
                 type) == "redaction: does not parse");
  CHECK(recorded(part +
                     "Content-Type: text/plain\r\nContent-Type: image/png\r\n\r\n\xff a@b.example"
                     "\r\n--b--",
                 type) == "redaction: does not parse");
}

TEST_CASE("patterns are found in JSON within JSON strings") {
  CHECK(recorded(R"({"m":"{\"mail\":\"bob\\u0040example.com\"}"})", "application/json") ==
        R"({"m":"{\"mail\":\"***\"}"})");
  CHECK(recorded(R"({"m":"\"\\\"bob\\\\u0040example.com\\\"\""})", "application/json") ==
        R"({"m":"\"\\\"***\\\"\""})");
}

TEST_CASE("of text that was cut no half of an address stays") {
  const std::string text = std::string(300, 'x') + " someone@exam";
  const std::string kept = recorded(text, "text/plain", "", Capture::truncated);
  CHECK(kept.find("someone") == std::string::npos);
  const std::string hidden =
      recorded("a@b.example " + std::string(90, 'x') + " " + std::string(70, 'y'), "text/plain", "",
               Capture::truncated);
  CHECK(hidden.starts_with("*** x"));
}

TEST_CASE("cards are found between other digits, never within a longer number") {
  const auto cards = [](std::string_view text) {
    std::vector<Hit> hits;
    find_cards(text, 0, hits);
    std::string found;
    for (const Hit& hit : hits)
      found += std::string(text.substr(hit.begin, hit.end - hit.begin)) + "|";
    return found;
  };
  CHECK(cards("4111111111111111") == "4111111111111111|");
  CHECK(cards("x4111-1111-1111-1111y 378282246310005") == "4111-1111-1111-1111|378282246310005|");
  CHECK(cards("12 4111 1111 1111 1111") != "");
  CHECK(cards("4111111111111112").empty());
  CHECK(cards("41111111111111110000") == "");
  CHECK(cards("4111  1111 1111 1111").empty());
  // The first sixteen digits pass as well.
  CHECK(cards("20261121 4111 1111 1111 1111.") == "20261121 4111 1111 1111 1111|");
}

TEST_CASE("the search for cards and addresses ends when there are too many to keep the text") {
  std::string text;
  for (std::size_t i = 0; i < 2 * Patterns::kMostHits; ++i) text += "4111111111111111,a@b.example,";
  std::vector<Hit> hits;
  find_cards(text, 0, hits);
  CHECK(hits.size() == Patterns::kMostHits + 1);
  hits.clear();
  find_emails(text, 0, hits);
  CHECK(hits.size() == Patterns::kMostHits + 1);
  CHECK(recorded(text, "text/plain") == "redaction: too many values");
}

}  // namespace
}  // namespace segue::recorder
