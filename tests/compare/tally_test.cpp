#include "compare/tally.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "exchange/id.hpp"
#include "tests/compare/family.hpp"

namespace segue::compare {
namespace {

using namespace test;

constexpr std::uint64_t kMinPairs = 100;

void add(RouteTally& tally, std::uint64_t n, v1::Kind kind, const Comparison& comparison) {
  tally.add(pair_of(n, kind), comparison);
}

// `pairs` pairs with the shadow and `controls` with a control, numbered from `from`, all the same.
void add_many(RouteTally& tally, std::uint64_t from, std::uint64_t pairs, std::uint64_t controls,
              const Comparison& comparison) {
  for (std::uint64_t n = from; n < from + pairs; ++n) add(tally, n, v1::KIND_SHADOW, comparison);
  for (std::uint64_t n = from; n < from + controls; ++n)
    add(tally, n, v1::KIND_CONTROL, comparison);
}

const FieldReport& field_of(const RouteReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.fields, name, &FieldReport::field);
  REQUIRE(found != report.fields.end());
  return *found;
}

std::string text_of(const std::string& raw) {
  return ExchangeId::from_bytes(raw)->text();
}

TEST_CASE("pairs are told apart once it is known what is noise") {
  RouteTally tally(kRoute, kMinPairs);
  add_many(tally, 0, 500, 100, {});
  add_many(tally, 1'000, 400, 80, different_in({"$.noisy"}));
  add_many(tally, 2'000, 60, 0, different_in({"$.broken"}));
  add_many(tally, 3'000, 40, 0, different_in({"$.noisy", "$.broken"}));
  const RouteReport report = tally.report();
  CHECK(report.route == kRoute);
  CHECK(report.pairs == 1'000);
  CHECK(report.controls == 180);
  CHECK(report.same == 500);
  CHECK(report.noise_only == 400);
  CHECK(report.different == 100);
  CHECK(report.match.count == 900);
  CHECK(report.match.of == 1'000);
  CHECK(report.enough);
  CHECK(report.over_bounds == 0);
  REQUIRE(report.fields.size() == 2);
  CHECK(report.fields[0].field == "$.broken");
  CHECK(report.fields[0].judgement == Judgement::finding);
  CHECK(report.fields[0].raw.count == 100);
  CHECK(report.fields[0].raw.of == 1'000);
  CHECK(report.fields[0].noise.count == 0);
  CHECK(report.fields[0].noise.of == 180);
  CHECK(report.fields[1].field == "$.noisy");
  CHECK(report.fields[1].judgement == Judgement::noise);
  CHECK(report.fields[1].raw.count == 440);
  CHECK(report.fields[1].noise.count == 80);
  CHECK(report.findings() == 1);
  CHECK(tally.findings() == 1);
}

TEST_CASE("a value that is always noisy is still judged by its type, presence and pattern") {
  RouteTally tally(kRoute, kMinPairs);
  add_many(tally, 0, 1'000, 100, different_in({"$.id"}));
  Comparison gone = different_in({"$.id"}, DifferenceKind::missing);
  Comparison text = different_in({"$.id"}, DifferenceKind::type);
  Comparison shapeless = different_in({"$.id"}, DifferenceKind::pattern);
  add_many(tally, 2'000, 200, 0, gone);
  add_many(tally, 3'000, 150, 0, text);
  add_many(tally, 4'000, 100, 0, shapeless);
  const RouteReport report = tally.report();
  REQUIRE(report.fields.size() == 4);
  CHECK(report.fields[0].kind == DifferenceKind::missing);
  CHECK(report.fields[1].kind == DifferenceKind::type);
  CHECK(report.fields[2].kind == DifferenceKind::pattern);
  for (int i = 0; i < 3; ++i)
    CHECK(report.fields[static_cast<std::size_t>(i)].judgement == Judgement::finding);
  CHECK(report.fields[3].kind == DifferenceKind::value);
  CHECK(report.fields[3].judgement == Judgement::noise);
  CHECK(report.noise_only == 1'000);
  CHECK(report.different == 450);
}

TEST_CASE("a field that differs several times in a pair counts once, and shows its first place") {
  RouteTally tally(kRoute, kMinPairs);
  Comparison comparison = different_in({"$.items[*].id", "$.items[*].id", "$.items[*].id"});
  comparison.differences[0].path = "$.items[2].id";
  add_many(tally, 0, 100, 0, comparison);
  const RouteReport report = tally.report();
  const FieldReport& field = field_of(report, "$.items[*].id");
  CHECK(field.raw.count == 100);
  CHECK(field.examples.at(0).path == "$.items[2].id");
  CHECK(field.examples.at(0).left == "1");
  CHECK(field.examples.at(0).right == "2");
}

TEST_CASE("status, header and body of one name are counted apart") {
  RouteTally tally(kRoute, kMinPairs);
  Comparison comparison = different_in({"x", "x", "x"});
  comparison.differences[0].part = Part::status;
  comparison.differences[1].part = Part::header;
  add_many(tally, 0, 100, 0, comparison);
  CHECK(tally.report().fields.size() == 3);
}

TEST_CASE("what cannot be compared, and stripped credentials, are no matches and no differences") {
  RouteTally tally(kRoute, kMinPairs);
  add_many(tally, 0, 150, 0, {});
  add_many(tally, 1'000, 20, 5, verdict_of(Verdict::incomparable, "truncated"));
  add_many(tally, 2'000, 10, 0, verdict_of(Verdict::incomparable, "no response"));
  Comparison refused = different_in({"$.a"});
  refused.verdict = Verdict::credentials;
  add_many(tally, 3'000, 30, 5, refused);
  const RouteReport report = tally.report();
  CHECK(report.pairs == 210);
  CHECK(report.incomparable ==
        std::map<std::string, std::uint64_t>{{"no response", 10}, {"truncated", 20}});
  CHECK(report.credentials == 30);
  CHECK(report.match.count == 150);
  CHECK(report.match.of == 150);
  CHECK(report.controls == 0);
  CHECK(report.controls_not_compared == 10);
  CHECK(report.fields.empty());
  CHECK(report.same + report.noise_only + report.different + report.credentials + 30 ==
        report.pairs);
}

TEST_CASE("pairs that cannot be compared do not make a sample") {
  RouteTally tally(kRoute, kMinPairs);
  add_many(tally, 0, 99, 0, different_in({"$.a"}));
  add_many(tally, 1'000, 500, 0, verdict_of(Verdict::incomparable, "truncated"));
  CHECK_FALSE(tally.report().enough);
  CHECK(field_of(tally.report(), "$.a").judgement == Judgement::uncertain);
  CHECK(tally.report().different == 99);
  add_many(tally, 2'000, 1, 0, {});
  CHECK(tally.report().enough);
  CHECK(field_of(tally.report(), "$.a").judgement == Judgement::finding);
}

TEST_CASE("a pair of which something was not compared is no match, whatever noise it shows") {
  RouteTally tally(kRoute, kMinPairs);
  add_many(tally, 0, 200, 100, different_in({"$.noisy"}));
  Comparison half = different_in({"$.noisy"});
  half.reason = "truncated";
  add_many(tally, 1'000, 30, 0, half);
  add_many(tally, 2'000, 10, 0, verdict_of(Verdict::incomparable, "truncated"));
  half.reason = "too large";
  add_many(tally, 3'000, 5, 0, half);
  Comparison broken = different_in({"$.noisy", "$.broken"});
  broken.reason = "truncated";
  add_many(tally, 4'000, 40, 0, broken);
  const RouteReport report = tally.report();
  CHECK(report.noise_only == 200);
  CHECK(report.different == 40);
  CHECK(report.incomparable ==
        std::map<std::string, std::uint64_t>{{"too large", 5}, {"truncated", 40}});
  CHECK(report.match.count == 200);
  CHECK(report.match.of == 240);
  CHECK(report.pairs == 285);
  CHECK(field_of(report, "$.noisy").raw.count == 275);
  CHECK(field_of(report, "$.broken").judgement == Judgement::finding);
  CHECK(tally.standing(half) == RouteTally::Standing::incomparable);
  CHECK(tally.standing(broken) == RouteTally::Standing::different);
}

TEST_CASE("pairs that were compared in part do not make a sample either") {
  RouteTally tally(kRoute, kMinPairs);
  Comparison half = different_in({"$.noisy"});
  half.reason = "truncated";
  add_many(tally, 0, 50, 50, different_in({"$.noisy"}));
  add_many(tally, 1'000, 200, 0, half);
  CHECK(tally.report().match.of == 50);
  CHECK_FALSE(tally.report().enough);
}

TEST_CASE("fields that redaction hid are counted by pairs") {
  RouteTally tally(kRoute, kMinPairs);
  Comparison comparison;
  comparison.hidden = {"header:set-cookie", "$.card"};
  add_many(tally, 0, 3, 2, comparison);
  CHECK(tally.report().hidden ==
        std::map<std::string, std::uint64_t>{{"$.card", 3}, {"header:set-cookie", 3}});
}

TEST_CASE("latencies are those of pairs that have both") {
  RouteTally tally(kRoute, kMinPairs);
  for (std::uint64_t n = 1; n <= 100; ++n)
    tally.add(pair_of(n, v1::KIND_SHADOW, {.microseconds = 1'000 * static_cast<std::int64_t>(n)},
                      {.microseconds = 2'000 * static_cast<std::int64_t>(n)}),
              {});
  Pair late = pair_of(200, v1::KIND_SHADOW, {.microseconds = 60'000'000});
  late.other.mutable_timing()->clear_first_byte();
  tally.add(late, verdict_of(Verdict::incomparable, "no response"));
  tally.add(pair_of(201, v1::KIND_CONTROL, {.microseconds = 60'000'000}), {});
  const RouteReport report = tally.report();
  const auto near = [](std::int64_t found, std::int64_t exact) {
    return std::abs(found - exact) <= exact / 128;
  };
  CHECK(report.primary.count == 100);
  CHECK(report.shadow.count == 100);
  CHECK(near(report.primary.p50, 50'000));
  CHECK(near(report.primary.p95, 95'000));
  CHECK(near(report.primary.p99, 99'000));
  CHECK(near(report.shadow.p50, 100'000));
  CHECK(near(report.shadow.p99, 198'000));
}

TEST_CASE("examples are spread over all pairs that show a difference, oldest first") {
  std::set<std::string> seen;
  std::uint64_t early = 0;
  for (std::uint64_t start = 0; start < 200; ++start) {
    RouteTally tally(kRoute, kMinPairs);
    add_many(tally, start * 1'000, 300, 0, different_in({"$.a"}));
    const RouteReport report = tally.report();
    const auto& examples = report.fields.at(0).examples;
    REQUIRE(examples.size() == FieldReport::kMostExamples);
    CHECK(std::ranges::is_sorted(examples, {}, &Example::primary));
    for (const Example& example : examples) {
      CHECK(seen.insert(example.primary).second);
      early += example.primary < text_of(primary_id(start * 1'000 + 100)) ? 1 : 0;
    }
    CHECK(examples[0].other.ends_with("02"));
  }
  // A third of 600 comes from the first third of the pairs.
  CHECK(early > 150);
  CHECK(early < 250);
}

TEST_CASE("how a pair stands is told by what is known when it comes") {
  using Standing = RouteTally::Standing;
  RouteTally tally(kRoute, kMinPairs);
  const Comparison noisy = different_in({"$.noisy"});
  CHECK(tally.standing({}) == Standing::same);
  CHECK(tally.standing(noisy) == Standing::different);
  CHECK(tally.standing(verdict_of(Verdict::incomparable, "coding")) == Standing::incomparable);
  CHECK(tally.standing(verdict_of(Verdict::credentials)) == Standing::credentials);
  add_many(tally, 0, 200, 50, noisy);
  CHECK(tally.standing(noisy) == Standing::noise);
  CHECK(tally.standing(different_in({"$.noisy", "$.new"})) == Standing::different);
  CHECK(tally.standing(different_in({"$.noisy"}, DifferenceKind::type)) == Standing::different);
}

TEST_CASE("fields over the bound are counted under one name, and are never noise") {
  RouteTally tally(kRoute, kMinPairs);
  const std::uint64_t most = RouteTally::kMostFields;
  for (std::uint64_t n = 0; n < most + 50; ++n) {
    const Comparison comparison = different_in({"$.by_id." + std::to_string(n)});
    add(tally, n, v1::KIND_SHADOW, comparison);
    add(tally, n, v1::KIND_CONTROL, comparison);
  }
  const RouteReport report = tally.report();
  CHECK(report.fields.size() == most + 1);
  const FieldReport& rest = field_of(report, RouteTally::kOtherFields);
  CHECK(rest.raw.count == 50);
  CHECK(rest.noise.count == 50);
  CHECK(rest.judgement == Judgement::uncertain);
  CHECK(report.over_bounds == 50);
  CHECK(report.noise_only == most);
  CHECK(report.different == 50);
}

TEST_CASE("a field with an endless name is counted under one name, too") {
  RouteTally tally(kRoute, kMinPairs);
  const std::string endless(RouteTally::kMostFieldName + 1, 'x');
  Comparison comparison = different_in({"$." + endless});
  comparison.hidden = {endless};
  add_many(tally, 0, 200, 50, comparison);
  const RouteReport report = tally.report();
  CHECK(report.fields.at(0).field == RouteTally::kOtherFields);
  CHECK(report.fields.at(0).judgement == Judgement::uncertain);
  CHECK(report.fields.at(0).examples.at(0).path.size() == 1'024);
  CHECK(report.hidden.begin()->first == RouteTally::kOtherFields);
  CHECK(tally.standing(comparison) == RouteTally::Standing::different);
}

TEST_CASE("combinations of fields over the bound are different, and the report says so") {
  RouteTally tally(kRoute, kMinPairs);
  constexpr unsigned kFields = 17;
  std::uint64_t pairs = 0;
  for (std::uint64_t combination = 1; combination < 1U << kFields; ++combination) {
    std::vector<std::string> fields;
    for (unsigned bit = 0; bit < kFields; ++bit)
      if ((combination >> bit & 1) != 0) fields.push_back("$.f" + std::to_string(bit));
    const Comparison comparison = different_in(fields);
    add(tally, combination, v1::KIND_SHADOW, comparison);
    if (combination % 16 == 0 || combination < 1'024)
      add(tally, combination, v1::KIND_CONTROL, comparison);
    ++pairs;
  }
  const RouteReport report = tally.report();
  CHECK(report.pairs == pairs);
  CHECK(report.over_bounds == pairs - RouteTally::kMostSets);
  CHECK(report.different >= report.over_bounds);
  CHECK(report.noise_only + report.different == pairs);
}

}  // namespace
}  // namespace segue::compare
