#include "compare/record_reading.hpp"

#include <google/protobuf/stubs/logging.h>

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "recorder/serialise.hpp"
#include "tests/recorder/sample_exchange.hpp"

namespace segue::compare {
namespace {

using segue::test::SampleExchange;

// As a gateway records it.
std::string random_record(std::mt19937_64& random) {
  SampleExchange sample;
  SampleExchange::fill_random(sample, random);
  const recorder::Provenance provenance{"shop", "gateway-1", "0.1.0", "a1b2c3d4e5f6", "9fceb02"};
  recorder::Serialiser serialiser(provenance, recorder::AccountKey{});
  const recorder::HeaderRules rules({});
  std::string record(serialiser.measure(sample.view, rules, recorder::AccountForm::plain), '\0');
  serialiser.write(record.data());
  return record;
}

TEST_CASE("what a comparison needs is what the whole record says") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    const std::string record = random_record(random);
    v1::Exchange whole;
    REQUIRE(whole.ParseFromString(record));
    const auto head = read_head(record);
    REQUIRE(head.has_value());
    CHECK(head->id == whole.id());
    CHECK(head->parent_id == whole.parent_id());
    CHECK(head->kind == whole.kind());
    CHECK(head->route == whole.decision().route());
    CHECK(head->shadow == whole.decision().shadow());
    v1::Exchange parsed;
    parsed.set_account_id("of the one before");
    REQUIRE(parse_for_comparing(record, parsed));
    keep_for_comparing(whole);
    // Not shown where it fails: it takes minutes to print what no person can read.
    CHECK((parsed.SerializeAsString() == whole.SerializeAsString()));
  }
}

TEST_CASE("a record that ends early, or is none, is refused or read as far as it makes sense") {
  const google::protobuf::LogSilencer quiet;  // it tells of every string that is not UTF-8
  std::mt19937_64 random(6);
  for (int round = 0; round < 50; ++round) {
    std::string record = random_record(random);
    for (std::size_t cut = 0; cut < record.size(); cut += 1 + record.size() / 100) {
      v1::Exchange parsed;
      const bool whole = parse_for_comparing(record.substr(0, cut), parsed);
      CHECK((!whole || read_head(record.substr(0, cut)).has_value()));
    }
    for (int flip = 0; flip < 100; ++flip) {
      record[random() % record.size()] = static_cast<char>(random());
      v1::Exchange parsed;
      parse_for_comparing(record, parsed);
      read_head(record);
    }
  }
  CHECK_FALSE(read_head("\xff\xff\xff\xff").has_value());
}

}  // namespace
}  // namespace segue::compare
