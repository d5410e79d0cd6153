// What of an exchange goes into its record, and what is cut when a topic takes less.

#include "recorder/publisher/record.hpp"

#include <google/protobuf/stubs/logging.h>

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "recorder/publisher/cut.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/published_journal.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;

std::string key_of_exchange(const v1::Exchange& exchange) {
  const std::string payload = exchange.SerializeAsString();
  std::string text;
  return std::string(key_of(read_fields(payload), text));
}

TEST_CASE("the fields of a record are those a full parse finds") {
  auto exchange = exchange_number(42);
  exchange.set_parent_id(std::string(id_of(41).raw()));
  exchange.mutable_trace()->set_trace_id(std::string(16, 't'));
  exchange.mutable_trace()->set_span_id(std::string(8, 's'));
  exchange.mutable_trace()->set_flags(1);
  const std::string payload = exchange.SerializeAsString();
  const RecordFields fields = read_fields(payload);
  CHECK(fields.id == exchange.id());
  CHECK(fields.parent_id == exchange.parent_id());
  CHECK(fields.created_at == exchange.created_at());
  CHECK(fields.kind == v1::KIND_PRIMARY);
  CHECK(fields.account_id == "account-2");
  CHECK(fields.route == "orders");
  CHECK(fields.status == 201);
  CHECK(fields.trace_id == exchange.trace().trace_id());
  CHECK(fields.span_id == exchange.trace().span_id());
  CHECK(fields.trace_flags == 1);
}

TEST_CASE("a payload that is cut short or no exchange at all gives what it can and harms nothing") {
  const std::string whole = exchange_number(42).SerializeAsString();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string part = whole.substr(0, length);
    const RecordFields fields = read_fields(part);
    CHECK((fields.id.empty() || fields.id == id_of(42).raw()));
  }
  std::mt19937_64 random(3);
  const google::protobuf::LogSilencer no_complaints;
  for (int round = 0; round < 2'000; ++round) {
    std::string noise = whole;
    for (int change = 0; change < 4; ++change)
      noise[random() % noise.size()] = static_cast<char>(random());
    std::string text;
    const RecordFields fields = read_fields(noise);
    static_cast<void>(key_of(fields, text));
    static_cast<void>(make_headers(fields, Redelivery::possible));
    static_cast<void>(cut_to(noise, 300));
  }
}

TEST_CASE("an identity of another length than it should have is no identity") {
  auto exchange = exchange_number(42);
  exchange.set_id("short");
  exchange.mutable_trace()->set_trace_id("short");
  const std::string payload = exchange.SerializeAsString();
  CHECK(read_fields(payload).id.empty());
  CHECK(read_fields(payload).trace_id.empty());
}

TEST_CASE("the key is the account, else the exchange, and of a FINISH the exchange it ends") {
  auto exchange = exchange_number(42);
  CHECK(key_of_exchange(exchange) == "account-2");
  exchange.clear_account_id();
  CHECK(key_of_exchange(exchange) == id_of(42).text());
  v1::Exchange finish;
  finish.set_id(std::string(id_of(43).raw()));
  finish.set_kind(v1::KIND_FINISH);
  finish.set_parent_id(std::string(id_of(42).raw()));
  CHECK(key_of_exchange(finish) == id_of(42).text());
}

v1::Exchange with_bodies(std::size_t request, std::size_t response) {
  auto exchange = exchange_number(1);
  exchange.mutable_request()->mutable_body()->set_content(std::string(request, 'q'));
  exchange.mutable_request()->mutable_body()->set_size(request);
  exchange.mutable_response()->mutable_body()->set_content(std::string(response, 'r'));
  exchange.mutable_response()->mutable_body()->set_size(response);
  return exchange;
}

v1::Exchange cut_exchange(const v1::Exchange& exchange, std::size_t most) {
  const auto cut = cut_to(exchange.SerializeAsString(), most);
  REQUIRE(cut.has_value());
  CHECK(cut->size() <= most);
  CHECK(cut->size() + 200 > most);  // hardly more than needed
  v1::Exchange parsed;
  REQUIRE(parsed.ParseFromString(*cut));
  return parsed;
}

TEST_CASE("the larger body is cut, the smaller one stays whole") {
  const auto cut = cut_exchange(with_bodies(1'000, 50'000), 20'000);
  CHECK(cut.request().body().content().size() == 1'000);
  CHECK(cut.request().body().capture() == v1::CAPTURE_COMPLETE);
  CHECK(cut.response().body().capture() == v1::CAPTURE_TRUNCATED);
  CHECK(cut.response().body().reason() == "topic");
  CHECK(cut.response().body().size() == 50'000);
  CHECK(cut.response().status() == 201);
  const auto other = cut_exchange(with_bodies(50'000, 1'000), 20'000);
  CHECK(other.request().body().reason() == "topic");
  CHECK(other.response().body().content().size() == 1'000);
}

TEST_CASE("two large bodies share the room") {
  const auto cut = cut_exchange(with_bodies(50'000, 60'000), 20'000);
  const std::size_t request = cut.request().body().content().size();
  const std::size_t response = cut.response().body().content().size();
  CHECK(request > 9'000);
  CHECK(response > 9'000);
  CHECK(cut.request().body().reason() == "topic");
  CHECK(cut.response().body().reason() == "topic");
}

TEST_CASE("an exchange that is too large without its bodies cannot be cut") {
  auto exchange = with_bodies(10, 10);
  exchange.mutable_request()->set_target(std::string(5'000, 't'));
  CHECK_FALSE(cut_to(exchange.SerializeAsString(), 2'000).has_value());
  CHECK_FALSE(cut_to("no exchange", 2'000).has_value());
}

}  // namespace
}  // namespace segue::recorder
