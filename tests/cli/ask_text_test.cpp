#include <catch2/catch_test_macros.hpp>
#include <string>

#include "cli/curl.hpp"
#include "cli/exchange_json.hpp"
#include "cli/exchange_text.hpp"
#include "cli/filters.hpp"
#include "cli/har.hpp"
#include "cli/json_writer.hpp"
#include "cli/show.hpp"
#include "cli/source.hpp"
#include "exchange/error.hpp"
#include "tests/support/process.hpp"

namespace segue::cli {
namespace {

constexpr std::int64_t kNineOClock = 1'795'251'600'000'000;  // 2026-11-21T09:00:00Z

void add_field(auto* fields, std::string name, std::string value) {
  auto* const field = fields->Add();
  field->set_name(std::move(name));
  field->set_value(std::move(value));
}

v1::Exchange search() {
  v1::Exchange exchange;
  exchange.set_id(std::string("\x01\x99\xa5\xb2\x12\x34\x7a\xbc\x8d\xef\x01\x02\x03\x04\x05\x06", 16));
  exchange.set_kind(v1::KIND_PRIMARY);
  exchange.set_created_at(kNineOClock + 123'456);
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.set_account_id("123");
  exchange.mutable_decision()->set_route("search-read");
  exchange.mutable_decision()->set_path_template("/searches/{id}");
  exchange.mutable_decision()->set_backend("legacy");
  exchange.mutable_decision()->set_role("legacy");
  exchange.mutable_decision()->set_endpoint("10.0.0.1:80");
  v1::Request& request = *exchange.mutable_request();
  request.set_method("GET");
  request.set_scheme("http");
  request.set_authority("shop.example");
  request.set_target("/searches/42");
  request.set_version("1.1");
  request.mutable_body()->set_capture(v1::CAPTURE_ABSENT);
  add_field(request.mutable_fields(), "accept", "*/*");
  v1::Response& response = *exchange.mutable_response();
  response.set_status(200);
  response.set_version("1.1");
  response.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  response.mutable_body()->set_size(11);
  response.mutable_body()->set_content_type("application/json");
  response.mutable_body()->set_content("{\"a\":\"\\n\"}\n");
  exchange.mutable_timing()->set_connect(0);
  exchange.mutable_timing()->set_first_byte(1200);
  exchange.mutable_timing()->set_last_byte(1400);
  return exchange;
}

TEST_CASE("an exchange reads as its JSON format says") {
  const std::string json = exchange_json(search());
  CHECK(json.starts_with(
      R"({"format_version":1,"id":"0199a5b2-1234-7abc-8def-010203040506","kind":"PRIMARY",)"
      R"("parent_id":null,"created_at":"2026-11-21T09:00:00.123456Z","outcome":"COMPLETED",)"
      R"("account_id":"123","route":"search-read","path_template":"/searches/{id}",)"
      R"("backend":"legacy","role":"legacy","endpoint":"10.0.0.1:80","request":{"method":"GET",)"
      R"("scheme":"http","authority":"shop.example","target":"/searches/42","version":"1.1",)"
      R"("headers":[{"name":"accept","value":"*/*"}],"body":{"capture":"ABSENT","size":0}},)"
      R"("response":{"status":200,"version":"1.1","headers":[],"body":{"capture":"COMPLETE",)"
      R"("size":11,"text":"{\"a\":\"\\n\"}\n"}},)"
      R"("timing_us":{"connect":0,"first_byte":1200,"last_byte":1400},"decision":{},)"
      R"("trace_id":"","redacted":[])"));
  CHECK(json.find('\n') == std::string::npos);
}

TEST_CASE("octets that are no text are kept beside what can be shown of them") {
  v1::Exchange exchange = search();
  add_field(exchange.mutable_request()->mutable_fields(), "x-latin", "caf\xe9\x01");
  exchange.mutable_response()->mutable_body()->set_content("\xff\xfe");
  const std::string json = exchange_json(exchange);
  CHECK(json.find("\"value\":\"caf\xef\xbf\xbd\\u0001\",\"value_base64\":\"Y2Fm6QE=\"") !=
        std::string::npos);
  CHECK(json.find(R"("base64":"//4=")") != std::string::npos);
}

TEST_CASE("a compressed body and an image are base64, whatever their octets") {
  v1::Exchange exchange = search();
  v1::Body& body = *exchange.mutable_response()->mutable_body();
  body.set_content("plain");
  body.set_content_coding("gzip");
  CHECK(exchange_json(exchange).find(R"("base64":"cGxhaW4=")") != std::string::npos);
  body.clear_content_coding();
  body.set_content_type("image/png");
  CHECK(exchange_json(exchange).find(R"("base64":"cGxhaW4=")") != std::string::npos);
}

TEST_CASE("an exchange without a response has none in JSON, HAR and on the page") {
  v1::Exchange exchange = search();
  exchange.clear_response();
  CHECK(exchange_json(exchange).find("\"response\":null") != std::string::npos);
  CHECK(exchange_har(exchange).find("\"status\":0") != std::string::npos);
  CHECK(exchange_page(exchange).find("No response") != std::string::npos);
}

TEST_CASE("what was recorded cannot steer a terminal") {
  CHECK(printable("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(printable("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(printable("\xc2\x9b" "2J") == "\\xc2\\x9b2J");
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xe2\x80\xaegpj") == "\\xe2\\x80\\xaegpj");
  CHECK(printable("a\nb") == "a\\x0ab");
  CHECK(printable("a\nb", Lines::keep) == "a\nb");
}

TEST_CASE("a curl command gives a shell exactly what was sent") {
  v1::Exchange exchange = search();
  v1::Request& request = *exchange.mutable_request();
  request.set_method("POST");
  request.set_target("/searches?q=it's$(id)`id`\"\\");
  add_field(request.mutable_fields(), "Cookie", "***");
  request.mutable_body()->set_capture(v1::CAPTURE_COMPLETE);
  request.mutable_body()->set_content("@it's $HOME\n");
  v1::Redaction& redaction = *exchange.add_redactions();
  redaction.set_rule("header:cookie");
  redaction.set_part(v1::Redaction::REQUEST);
  const std::string script = exchange_curl(exchange);
  CHECK(script.find("\n# left out, because it is redacted: header:cookie\n") != std::string::npos);
  CHECK(script.find("***") == std::string::npos);
  // A function in curl's place prints its arguments, one a line.
  const auto ran = test::run_command(
      {"/bin/sh", "-c", "curl() { for a in \"$@\"; do printf '<%s>\\n' \"$a\"; done; }\n" + script});
  CHECK(ran.exit_code == 0);
  CHECK(ran.out.find("<--data-raw>\n<@it's $HOME\n>\n") != std::string::npos);
  CHECK(ran.out.find("<http://shop.example/searches?q=it's$(id)`id`\"\\>\n") != std::string::npos);
  CHECK(ran.out.find("<accept: */*>\n") != std::string::npos);
}

TEST_CASE("a binary body goes to curl through base64") {
  v1::Exchange exchange = search();
  exchange.mutable_request()->mutable_body()->set_content(std::string("\0\x01\xff", 3));
  const std::string script = exchange_curl(exchange);
  CHECK(script.find("printf %s \"AAH/\" | base64 -d |\ncurl") != std::string::npos);
  CHECK(script.find("--data-binary @-") != std::string::npos);
}

TEST_CASE("statuses and times are read as written, and nothing else is") {
  CHECK(parse_status("404")->low == 404);
  CHECK(parse_status("5xx")->high == 599);
  CHECK(parse_status("500-503")->high == 503);
  for (const char* text : {"", "40", "xx", "0xx", "599-500", "404-", "4040", "abc"})
    CHECK_FALSE(parse_status(text));
  CHECK(parse_time("24h", kNineOClock) == kNineOClock - 86'400'000'000);
  CHECK(parse_time("2026-11-21T09:00:00Z", 0) == kNineOClock);
  CHECK(parse_time("2026-11-21T10:00+01:00", 0) == kNineOClock);
  CHECK(parse_time("2026-11-21T09:00:00.5", 0) == kNineOClock + 500'000);
  CHECK(parse_time("2026-11-21", 0) == kNineOClock - 9 * 3'600'000'000);
  for (const char* text : {"", "h", "24", "-1h", "2026-13-01", "2026-11-21T25:00", "yesterday",
                           "2026-11-21T09:00:00.Z", "2026-11-21Q"})
    CHECK_FALSE(parse_time(text, 0));
}

TEST_CASE("an id is found by eight digits of its start") {
  const std::string id = search().id();
  CHECK(IdPrefix::parse("0199a5b2")->matches(id));
  CHECK(IdPrefix::parse("0199A5B2-1234-7abc-8def-010203040506")->matches(id));
  CHECK_FALSE(IdPrefix::parse("0199a5b3")->matches(id));
  CHECK_FALSE(IdPrefix::parse("0199a5"));
  CHECK_FALSE(IdPrefix::parse("0199a5bx"));
  CHECK(IdPrefix::parse("0199a5b2")->earliest() == 0x0199a5b20000 * 1000);
}

TEST_CASE("a source is a journal, a topic or an archive; anything else says so") {
  const KafkaOptions options;
  CHECK(resolve_source("journal:/var/lib/segue", options).journal == "/var/lib/segue");
  const Source topic = resolve_source("kafka://one:9092,two:9093/segue.exchanges", options);
  REQUIRE(topic.kafka.has_value());
  CHECK(topic.kafka->topic == "segue.exchanges");
  CHECK(topic.kafka->settings.brokers == std::vector<std::string>{"one:9092", "two:9093"});
  CHECK_THROWS_AS(resolve_source("kafka://localhost", options), StartupError);
  const Source archive = resolve_source("archive:data", options);
  REQUIRE(archive.archive.has_value());
  CHECK(archive.archive->location.name() == "archive:data");
  CHECK_THROWS_AS(resolve_source("archive:", options), StartupError);
  CHECK_THROWS_AS(resolve_source("data", options), StartupError);
}

}  // namespace
}  // namespace segue::cli
