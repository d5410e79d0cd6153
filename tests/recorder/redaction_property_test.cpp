#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "recorder/exchange.pb.h"
#include "recorder/redaction/content_coding.hpp"
#include "recorder/redaction/redactor.hpp"
#include "recorder/serialise.hpp"
#include "tests/recorder/planted_secret.hpp"

namespace segue::recorder {
namespace {

using test::PlantedSecret;

RedactionKey test_key() {
  return {"k1", {1, 2, 3}};
}

std::string record_of(const ExchangeView& view, const Redactions& redactions) {
  static Redactor redactor(test_key(), 3);
  static Serialiser serialiser({"shop", "gateway-1", "0.1.0", "a1b2c3d4e5f6", ""}, AccountKey{});
  const RouteRules rules(redactions);
  const Redacted& redacted = redactor.redact(view, rules);
  std::string bytes(serialiser.measure(redacted, rules.headers, AccountForm::plain), '\0');
  serialiser.write(bytes.data());
  return bytes;
}

// The content as one who reads the record would see it.
std::string content_of(const v1::Body& body) {
  std::string decoded;
  const std::string_view content = body.content();
  if (body.coding_undone() || !has_coding(body.content_coding())) return body.content();
  return undo_codings(body.content_coding(), {&content, 1}, decoded) == Decoding::done ? decoded
                                                                                       : "";
}

TEST_CASE(
    "a secret that a rule covers never reaches the record, wherever and however it is written") {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    const PlantedSecret planted(seed);
    std::mt19937_64 random(seed);
    const Redactions rules = PlantedSecret::covering_rules(random);
    const std::string bytes = record_of(planted.view(), rules);
    INFO("seed " << seed << ", " << planted.place() << ", " << planted.secret());
    CAPTURE(bytes);
    REQUIRE_FALSE(planted.shows_in(bytes));
    v1::Exchange exchange;
    REQUIRE(exchange.ParseFromString(bytes));
    REQUIRE_FALSE(planted.shows_in(content_of(exchange.request().body())));
    REQUIRE_FALSE(planted.shows_in(content_of(exchange.response().body())));
  }
}

TEST_CASE("without rules the planted secrets do show") {
  int shown = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const PlantedSecret planted(seed);
    v1::Exchange exchange;
    const std::string bytes = record_of(planted.view(), Redactions{});
    REQUIRE(exchange.ParseFromString(bytes));
    const bool shows = planted.shows_in(bytes) ||
                       planted.shows_in(content_of(exchange.request().body())) ||
                       planted.shows_in(content_of(exchange.response().body()));
    shown += shows ? 1 : 0;
  }
  CHECK(shown > 350);  // some are cut before the secret
}

TEST_CASE("what was encrypted comes back with the key, byte for byte") {
  Opener opener({test_key()});
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    const PlantedSecret planted(seed);
    std::mt19937_64 random(seed);
    Redactions rules = PlantedSecret::covering_rules(random);
    for (auto* list : {&rules.headers, &rules.query, &rules.json, &rules.form})
      for (Redaction& rule : *list) rule.mode = RedactionMode::encrypt;
    for (PatternRedaction& rule : rules.patterns) rule.mode = RedactionMode::encrypt;
    v1::Exchange exchange;
    REQUIRE(exchange.ParseFromString(record_of(planted.view(), rules)));
    INFO("seed " << seed << ", " << planted.place() << ", " << planted.secret());
    std::string target = exchange.request().target();
    opener.open_all(target);
    CHECK(target == planted.view().request.head.target);
    for (const auto& [body, view] :
         {std::pair{&exchange.request().body(), &planted.view().request.body},
          std::pair{&exchange.response().body(), &planted.view().response.body}}) {
      if (body->capture() != v1::CAPTURE_COMPLETE || body->content_coding() != "") continue;
      std::string was;
      for (const std::string_view block : view->blocks) was += block;
      std::string content = body->content();
      opener.open_all(content);
      CHECK(content == was);
    }
  }
}

}  // namespace
}  // namespace segue::recorder
