#include "compare/pairing.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/compare/family.hpp"

namespace segue::compare {
namespace {

using namespace test;

// The pairs that are ready, by the raw ids of both sides.
std::vector<std::pair<std::string, std::string>> pairs_of(Pairing& pairing) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (const auto pair = pairing.next())
    pairs.emplace_back(pair->primary->id(), pair->other.id());
  return pairs;
}

const auto kShadowPair = std::pair(primary_id(1), other_id(1, v1::KIND_SHADOW));
const auto kControlPair = std::pair(primary_id(1), other_id(1, v1::KIND_CONTROL));

TEST_CASE("a primary is joined with its shadow and its control, in whichever order they come") {
  std::vector<int> order{0, 1, 2};
  do {
    Pairing pairing({});
    for (const int which : order)
      pairing.add(which == 0 ? primary(1) : which == 1 ? shadow(1) : control(1));
    auto pairs = pairs_of(pairing);
    std::ranges::sort(pairs);
    CHECK(pairs == std::vector{kShadowPair, kControlPair});
    CHECK(pairing.waiting() == 0);
    CHECK(pairing.unpaired().primaries == 0);
    CHECK(pairing.unpaired().others == 0);
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("a control comes after the pair with the shadow was given") {
  Pairing pairing({});
  pairing.add(primary(1));
  CHECK(pairs_of(pairing).empty());
  CHECK(pairing.waiting() == 1);
  pairing.add(shadow(1));
  CHECK(pairs_of(pairing) == std::vector{kShadowPair});
  CHECK(pairing.waiting() == 0);
  pairing.add(control(1));
  CHECK(pairs_of(pairing) == std::vector{kControlPair});
}

TEST_CASE("a primary that was not shadowed does not wait") {
  Pairing pairing({});
  for (const char* reason : {"", "skipped_sampling", "skipped_in_flight"}) {
    v1::Exchange exchange = primary(1);
    exchange.mutable_decision()->set_shadow(reason);
    pairing.add(std::move(exchange));
  }
  CHECK(pairing.waiting() == 0);
  CHECK(pairing.unpaired().primaries == 0);
}

TEST_CASE("other kinds of exchanges, and those without a proper id, are ignored") {
  Pairing pairing({});
  for (const v1::Kind kind : {v1::KIND_REPLAY, v1::KIND_PROBE, v1::KIND_FINISH}) {
    v1::Exchange exchange = shadow(1);
    exchange.set_kind(kind);
    pairing.add(std::move(exchange));
  }
  v1::Exchange nameless = primary(1);
  nameless.set_id("short");
  pairing.add(std::move(nameless));
  v1::Exchange orphan = shadow(1);
  orphan.clear_parent_id();
  pairing.add(std::move(orphan));
  CHECK(pairing.waiting() == 0);
}

TEST_CASE("a shadow that was delivered twice counts once") {
  Pairing pairing({});
  pairing.add(shadow(1));
  pairing.add(shadow(1));
  pairing.add(primary(1));
  pairing.add(shadow(1));
  pairing.add(primary(1));
  CHECK(pairs_of(pairing) == std::vector{kShadowPair});
}

TEST_CASE("what waits in vain is told apart") {
  Pairing pairing({});
  pairing.add(primary(1));
  pairing.add(primary(2));
  pairing.add(control(2));
  pairing.add(shadow(3));
  pairing.add(control(3));
  CHECK(pairs_of(pairing).size() == 1);
  CHECK(pairing.waiting() == 4);
  CHECK(pairing.unpaired().primaries == 2);
  CHECK(pairing.unpaired().others == 2);
  CHECK(pairing.given_up() == 0);
}

TEST_CASE("over its bound the one that has waited longest goes, and is counted") {
  Pairing pairing({.exchanges = 10});
  for (std::uint64_t n = 1; n <= 15; ++n) pairing.add(primary(n));
  CHECK(pairing.waiting() == 10);
  CHECK(pairing.given_up() == 5);
  for (std::uint64_t n = 1; n <= 15; ++n) pairing.add(shadow(n));
  CHECK(pairs_of(pairing).size() == 10);
  // Five primaries went, and then the five shadows found none.
  CHECK(pairing.unpaired().primaries == 5);
  CHECK(pairing.unpaired().others == 5);
}

TEST_CASE("large bodies are let go of sooner") {
  Pairing pairing({.bytes = 1 << 20});
  for (std::uint64_t n = 1; n <= 100; ++n)
    pairing.add(primary(n, {.body = std::string(100 << 10, 'x')}));
  CHECK(pairing.waiting() == 10);
  CHECK(pairing.given_up() == 90);
}

TEST_CASE("one exchange may wait, however large it is") {
  Pairing pairing({.exchanges = 1, .bytes = 1});
  pairing.add(primary(1));
  pairing.add(shadow(1));
  CHECK(pairs_of(pairing).size() == 1);
}

TEST_CASE("primaries that wait for a control alone leave without being counted") {
  Pairing pairing({.exchanges = 10});
  for (std::uint64_t n = 1; n <= 100; ++n) {
    pairing.add(primary(n));
    pairing.add(shadow(n));
  }
  CHECK(pairs_of(pairing).size() == 100);
  CHECK(pairing.given_up() == 0);
  CHECK(pairing.waiting() == 0);
  // The youngest are still there.
  pairing.add(control(100));
  pairing.add(control(91));
  CHECK(pairs_of(pairing).size() == 2);
  pairing.add(control(90));
  CHECK(pairing.unpaired().others == 1);
}

TEST_CASE("what waits keeps its answer and lets go of its request") {
  Pairing pairing({});
  v1::Exchange exchange = primary(1, {.body = "[1]"});
  exchange.mutable_request()->mutable_body()->set_content("secret");
  exchange.mutable_request()->add_fields()->set_name("cookie");
  exchange.set_account_id("someone");
  exchange.mutable_redactions()->Add()->set_rule("header:x");
  pairing.add(std::move(exchange));
  pairing.add(shadow(1));
  const auto pair = pairing.next();
  REQUIRE(pair.has_value());
  CHECK(pair->primary->response().body().content() == "[1]");
  CHECK(pair->primary->redactions_size() == 1);
  CHECK(pair->primary->request().method() == "GET");
  CHECK(pair->primary->request().target() == "/searches/42");
  CHECK(pair->primary->decision().route() == kRoute);
  CHECK(pair->primary->timing().first_byte() == 1'100);
  CHECK(pair->primary->request().fields_size() == 0);
  CHECK(pair->primary->request().body().content().empty());
  CHECK(pair->primary->account_id().empty());
}

}  // namespace
}  // namespace segue::compare
