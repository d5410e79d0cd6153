#include "exchange/id.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace segue {
namespace {

TEST_CASE("an id is a UUIDv7 that carries its millisecond") {
  ExchangeIdSource source;
  const std::int64_t micros = 1'795'000'000'123'456;
  const ExchangeId id = source.next(micros);
  const std::string text = id.text();
  CHECK(text.size() == 36);
  CHECK(text[14] == '7');
  CHECK((text[19] == '8' || text[19] == '9' || text[19] == 'a' || text[19] == 'b'));
  CHECK(id.unix_millis() == micros / 1000);
}

TEST_CASE("text and bytes give the same id back") {
  ExchangeIdSource source;
  const ExchangeId id = source.next(1'795'000'000'000'000);
  CHECK(ExchangeId::parse(id.text()) == id);
  CHECK(ExchangeId::from_bytes(id.raw()) == id);
  std::string upper = id.text();
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(ExchangeId::parse(upper) == id);
}

TEST_CASE("what is no id is refused") {
  for (const char* text :
       {"", "0199a5b2", "0199a5b2-0000-7000-8000-00000000000",
        "0199a5b2-0000-7000-8000-0000000000000", "0199a5b2x0000-7000-8000-000000000000",
        "0199a5b2-0000-7000-8000-00000000000g", "0199a5b200007000800000000000000000--"})
    CHECK_FALSE(ExchangeId::parse(text));
  CHECK_FALSE(ExchangeId::from_bytes("short"));
}

TEST_CASE("ids of one source grow even when the clock stands or steps back") {
  ExchangeIdSource source;
  std::set<ExchangeId> seen;
  ExchangeId last;
  for (int i = 0; i < 10'000; ++i) {
    const ExchangeId id = source.next(1'795'000'000'000'000 - i * 10);
    CHECK(last < id);
    last = id;
    seen.insert(id);
  }
  CHECK(seen.size() == 10'000);
}

TEST_CASE("two sources do not make the same ids") {
  ExchangeIdSource one;
  ExchangeIdSource other;
  std::set<ExchangeId> seen;
  for (int i = 0; i < 1'000; ++i) {
    seen.insert(one.next(1'795'000'000'000'000));
    seen.insert(other.next(1'795'000'000'000'000));
  }
  CHECK(seen.size() == 2'000);
}

}  // namespace
}  // namespace segue
