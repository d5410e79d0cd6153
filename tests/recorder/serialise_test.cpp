#include "recorder/serialise.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>

#include "recorder/exchange.pb.h"
#include "recorder/utf8.hpp"
#include "tests/recorder/sample_exchange.hpp"

namespace segue::recorder {
namespace {

using test::SampleExchange;

const Provenance kProvenance{"shop", "gateway-1", "0.1.0", "a1b2c3d4e5f6", "9fceb02"};

AccountKey test_key() {
  AccountKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<unsigned char>(i);
  return key;
}

HeaderRules rules_of(std::vector<Redaction> redactions) { return HeaderRules(redactions); }

std::string bytes_of(Serialiser& serialiser, const ExchangeView& view, const HeaderRules& rules,
                     AccountForm account = AccountForm::plain, const BodyCut& cut = {}) {
  // A byte on either side that must stay what it was.
  const std::size_t size = serialiser.measure(view, rules, account, cut);
  std::string out(size + 2, '\x5a');
  serialiser.write(out.data() + 1);
  REQUIRE(out.front() == '\x5a');
  REQUIRE(out.back() == '\x5a');
  return out.substr(1, size);
}

v1::Exchange parse(const std::string& bytes) {
  v1::Exchange exchange;
  REQUIRE(exchange.ParseFromString(bytes));
  return exchange;
}

std::string as_text(std::string_view value) {
  std::string text(value);
  if (is_utf8(value)) return text;
  for (char& c : text)
    if ((static_cast<unsigned char>(c) & 0x80) != 0) c = '?';
  return text;
}

std::string joined(std::span<const std::string_view> blocks) {
  std::string all;
  for (const std::string_view block : blocks) all += block;
  return all;
}

void check_body(const v1::Body& got, const BodyView& want) {
  CHECK(got.capture() == static_cast<int>(want.capture));
  CHECK(got.size() == want.size);
  CHECK(got.reason() == as_text(want.reason));
  CHECK(got.sha256() == want.sha256);
  CHECK(got.content() == joined(want.blocks));
}

// `rules` mask all they know.
void check_fields(const auto& got, std::span<const Field> want, const HeaderRules& rules) {
  REQUIRE(static_cast<std::size_t>(got.size()) == want.size());
  for (int i = 0; i < got.size(); ++i) {
    const Field& field = want[static_cast<std::size_t>(i)];
    CHECK(got[i].name() == field.name);
    CHECK(got[i].value() == (rules.match(field.name) < 0 ? field.value : kMask));
  }
}

void check_identity(const v1::Exchange& got, const ExchangeView& want) {
  CHECK(got.id() == want.id.raw());
  CHECK(got.created_at() == want.created_at);
  CHECK(got.kind() == static_cast<int>(want.kind));
  CHECK(got.parent_id() == (want.parent_id.empty() ? "" : want.parent_id.raw()));
  CHECK(got.outcome() == static_cast<int>(want.outcome));
  CHECK(got.refusal() == as_text(want.refusal));
  CHECK(got.account_id() == want.account_id);
  CHECK(got.provenance().service() == "shop");
  CHECK(got.provenance().instance() == "gateway-1");
  CHECK(got.provenance().version() == "0.1.0");
  CHECK(got.provenance().config_version() == "a1b2c3d4e5f6");
  CHECK(got.provenance().config_revision() == "9fceb02");
}

void check_decision(const v1::Decision& got, const DecisionView& want) {
  CHECK(got.route() == as_text(want.route));
  CHECK(got.path_template() == as_text(want.path_template));
  CHECK(got.backend() == as_text(want.backend));
  CHECK(got.endpoint() == as_text(want.endpoint));
  CHECK(got.role() == as_text(want.role));
  CHECK(got.fallback_from() == as_text(want.fallback_from));
  CHECK(got.has_bucket() == (want.bucket >= 0));
  if (want.bucket >= 0) CHECK(got.bucket() == static_cast<std::uint32_t>(want.bucket));
  REQUIRE(static_cast<std::size_t>(got.parameters_size()) == want.parameters.size());
  for (int i = 0; i < got.parameters_size(); ++i) {
    CHECK(got.parameters(i).name() == want.parameters[static_cast<std::size_t>(i)].name);
    CHECK(got.parameters(i).value() == want.parameters[static_cast<std::size_t>(i)].value);
  }
  REQUIRE(static_cast<std::size_t>(got.inputs_size()) == want.inputs.size());
}

void check_request(const v1::Request& got, const RequestView& want, const HeaderRules& rules) {
  CHECK(got.method() == as_text(want.head.method));
  CHECK(got.scheme() == as_text(want.head.scheme));
  CHECK(got.authority() == want.head.authority);
  CHECK(got.target() == want.head.target);
  CHECK(got.version() == (want.version_minor == 0 ? "1.0" : "1.1"));
  check_fields(got.fields(), want.head.fields, rules);
  check_fields(got.trailers(), want.trailers, rules);
  check_body(got.body(), want.body);
}

void check_response(const v1::Response& got, const ResponseView& want, const HeaderRules& rules) {
  CHECK(got.status() == want.status);
  CHECK(got.reason() == want.reason);
  REQUIRE(static_cast<std::size_t>(got.interim_size()) == want.interim.size());
  for (int i = 0; i < got.interim_size(); ++i)
    CHECK(got.interim(i) == want.interim[static_cast<std::size_t>(i)]);
  check_fields(got.fields(), want.fields, rules);
  check_fields(got.trailers(), want.trailers, rules);
  check_body(got.body(), want.body);
}

void check_timing(const v1::Timing& got, const Timing& want) {
  CHECK((got.has_connect() ? got.connect() : Timing::kNever) == want.connect);
  CHECK((got.has_tls() ? got.tls() : Timing::kNever) == want.tls);
  CHECK((got.has_request_sent() ? got.request_sent() : Timing::kNever) == want.request_sent);
  CHECK((got.has_first_byte() ? got.first_byte() : Timing::kNever) == want.first_byte);
  CHECK((got.has_last_byte() ? got.last_byte() : Timing::kNever) == want.last_byte);
}

void check_client(const v1::Client& got, const ClientView& want) {
  CHECK(got.address() == as_text(want.address));
  CHECK(got.forwarded_for() == as_text(want.forwarded_for));
  CHECK(got.tls_version() == as_text(want.tls_version));
  CHECK(got.server_name() == as_text(want.server_name));
  CHECK(got.alpn() == as_text(want.alpn));
}

void check_exchange(const v1::Exchange& got, const ExchangeView& want, const HeaderRules& rules) {
  check_identity(got, want);
  check_decision(got.decision(), want.decision);
  check_client(got.client(), want.client);
  check_request(got.request(), want.request, rules);
  CHECK(got.has_response() == (want.response.status != 0));
  if (got.has_response()) check_response(got.response(), want.response, rules);
  check_timing(got.timing(), want.timing);
  REQUIRE(static_cast<std::size_t>(got.attempts_size()) == want.attempts.size());
  for (int i = 0; i < got.attempts_size(); ++i) {
    const Attempt& attempt = want.attempts[static_cast<std::size_t>(i)];
    CHECK(got.attempts(i).endpoint() == as_text(attempt.endpoint));
    CHECK(got.attempts(i).error() == as_text(attempt.error));
    CHECK(got.attempts(i).at() == attempt.at);
  }
  CHECK(got.GetReflection()->GetUnknownFields(got).empty());
}

TEST_CASE("a browser's page comes back field by field") {
  SampleExchange sample;
  SampleExchange::fill_browser_page(sample);
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({});
  const std::string bytes = bytes_of(serialiser, sample.view, rules);
  const v1::Exchange got = parse(bytes);
  check_exchange(got, sample.view, rules);
  CHECK(got.response().body().content_type() == "application/json; charset=utf-8");
  CHECK(got.trace().trace_id() ==
        std::string("\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c", 16));
  CHECK(got.trace().span_id() == std::string("\xb7\xad\x6b\x71\x69\x20\x33\x31", 8));
  CHECK(got.trace().flags() == 1);
}

TEST_CASE("an empty exchange is a valid record that starts with its id") {
  Serialiser serialiser(kProvenance, test_key());
  const ExchangeView empty;
  const HeaderRules rules = rules_of({});
  const std::string bytes = bytes_of(serialiser, empty, rules);
  CHECK(bytes.substr(0, 2) == "\x0a\x10");
  check_exchange(parse(bytes), empty, rules);
}

TEST_CASE("any exchange comes back as it went in, but for what is redacted") {
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({{"x-secret", RedactionMode::mask}});
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    SampleExchange sample;
    SampleExchange::fill_random(sample, random);
    const std::string bytes = bytes_of(serialiser, sample.view, rules);
    CHECK(bytes.substr(2, 16) == sample.view.id.raw());
    check_exchange(parse(bytes), sample.view, rules);
  }
}

TEST_CASE("a thousand fields and a value of a mebibyte fit") {
  SampleExchange sample;
  for (int i = 0; i < 1000; ++i) sample.request_fields.push_back({"x-many", "value"});
  sample.request_fields.push_back({"x-long", sample.keep(std::string(1 << 20, 'v'))});
  sample.connect();
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({});
  check_exchange(parse(bytes_of(serialiser, sample.view, rules)), sample.view, rules);
}

TEST_CASE("a secret in a redacted header never reaches the record") {
  static constexpr std::string_view kSecret = "hunter2-planted";
  const auto mode = GENERATE(RedactionMode::mask, RedactionMode::drop);
  SampleExchange sample;
  SampleExchange::fill_browser_page(sample);
  const std::string_view secret = kSecret;
  for (auto* fields : {&sample.request_fields, &sample.request_trailers, &sample.response_fields,
                       &sample.response_trailers, &sample.inputs})
    for (const std::string_view name : {"X-Api-KEY", "Cookie", "AUTHORIZATION", "x-forwarded-for",
                                        "Content-Type", "Host", "traceparent"})
      fields->push_back({name, secret});
  sample.view.client.forwarded_for = secret;
  sample.view.request.head.authority = secret;
  sample.view.account_id = secret;
  sample.connect();
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({{"x-api-key", mode},
                                      {"authorization", mode},
                                      {"X-Forwarded-For", mode},
                                      {"content-type", mode},
                                      {"host", mode},
                                      {"traceparent", mode}});
  const std::string bytes = bytes_of(serialiser, sample.view, rules, AccountForm::hashed);
  CHECK(bytes.find(secret) == std::string::npos);
  CHECK(parse(bytes).redactions_size() > 5);
}

TEST_CASE("what was redacted is listed by rule, part and count") {
  SampleExchange sample;
  sample.request_fields = {{"Cookie", "a=1"}, {"cookie", "b=2"}, {"X-Gone", "1"}};
  sample.response_trailers = {{"Set-Cookie", "c=3"}};
  sample.view.response.status = 200;
  sample.connect();
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({{"x-gone", RedactionMode::drop}});
  const v1::Exchange got = parse(bytes_of(serialiser, sample.view, rules));
  CHECK(serialiser.redacted() == 4);
  REQUIRE(got.request().fields_size() == 2);
  CHECK(got.request().fields(1).value() == "***");
  REQUIRE(got.redactions_size() == 3);
  CHECK(got.redactions(0).rule() == "header:x-gone");
  CHECK(got.redactions(0).mode() == v1::Redaction::DROP);
  CHECK(got.redactions(0).part() == v1::Redaction::REQUEST);
  CHECK(got.redactions(1).rule() == "header:cookie");
  CHECK(got.redactions(1).mode() == v1::Redaction::MASK);
  CHECK(got.redactions(1).count() == 2);
  CHECK(got.redactions(2).rule() == "header:set-cookie");
  CHECK(got.redactions(2).part() == v1::Redaction::RESPONSE);
}

TEST_CASE("a redacted decision input becomes a hash that keeps equal values equal") {
  SampleExchange sample;
  sample.inputs = {{"cookie", "uid=7"}, {"x-beta", "1"}, {"cookie", "uid=8"}, {"cookie", "uid=7"}};
  sample.connect();
  Serialiser serialiser(kProvenance, test_key());
  const v1::Exchange got = parse(bytes_of(serialiser, sample.view, rules_of({})));
  CHECK(got.decision().inputs(1).value() == "1");
  CHECK(got.decision().inputs(0).value().starts_with("h:"));
  CHECK(got.decision().inputs(0).value() == got.decision().inputs(3).value());
  CHECK(got.decision().inputs(0).value() != got.decision().inputs(2).value());
}

TEST_CASE("a hashed account id says so, an absent one stays absent") {
  SampleExchange sample;
  sample.view.account_id = "123";
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({});
  v1::Exchange got = parse(bytes_of(serialiser, sample.view, rules, AccountForm::hashed));
  CHECK(got.account_id() == KeyedHash(test_key()).text("123"));
  REQUIRE(got.redactions_size() == 1);
  CHECK(got.redactions(0).rule() == "account");
  sample.view.account_id = {};
  got = parse(bytes_of(serialiser, sample.view, rules, AccountForm::hashed));
  CHECK(got.account_id().empty());
  CHECK(got.redactions_size() == 0);
}

TEST_CASE("a body that is cut keeps its first bytes and its true size, and says why") {
  SampleExchange sample;
  sample.request_blocks = {"abc", "def", "ghi"};
  sample.view.request.body = {{}, 9, Capture::complete, {}};
  sample.response_blocks = {"xyz"};
  sample.view.response.status = 200;
  sample.view.response.body = {{}, 3, Capture::complete, {}};
  sample.connect();
  Serialiser serialiser(kProvenance, test_key());
  const BodyCut cut{.request_bytes = 5, .response_bytes = 3, .reason = "frame"};
  const v1::Exchange got =
      parse(bytes_of(serialiser, sample.view, rules_of({}), AccountForm::plain, cut));
  CHECK(got.request().body().content() == "abcde");
  CHECK(got.request().body().size() == 9);
  CHECK(got.request().body().capture() == v1::CAPTURE_TRUNCATED);
  CHECK(got.request().body().reason() == "frame");
  CHECK(got.response().body().content() == "xyz");
  CHECK(got.response().body().capture() == v1::CAPTURE_COMPLETE);
}

TEST_CASE("a traceparent that is not one is no trace") {
  Serialiser serialiser(kProvenance, test_key());
  const HeaderRules rules = rules_of({});
  for (const std::string_view text :
       {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"}) {
    SampleExchange sample;
    sample.request_fields = {{"traceparent", text}};
    sample.connect();
    CHECK_FALSE(parse(bytes_of(serialiser, sample.view, rules)).has_trace());
  }
}

TEST_CASE("a finish names its exchange and what the client sent and got") {
  Serialiser serialiser(kProvenance, test_key());
  const FinishView finish{test::id_number(9), test::id_number(4), 1'000'000,
                          Outcome::client_aborted, 300, 70'000};
  std::string bytes(serialiser.measure(finish), '\0');
  serialiser.write(finish, bytes.data());
  const v1::Exchange got = parse(bytes);
  CHECK(got.id() == finish.id.raw());
  CHECK(got.kind() == v1::KIND_FINISH);
  CHECK(got.parent_id() == finish.exchange_id.raw());
  CHECK(got.created_at() == 1'000'000);
  CHECK(got.outcome() == v1::OUTCOME_CLIENT_ABORTED);
  CHECK(got.finish().bytes_from_client() == 300);
  CHECK(got.finish().bytes_to_client() == 70'000);
  CHECK(got.provenance().instance() == "gateway-1");
}

}  // namespace
}  // namespace segue::recorder
