#include "compare/noise_rule.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <random>

namespace segue::compare {
namespace {

using Catch::Approx;

constexpr std::uint64_t kMinPairs = 200;

TEST_CASE("a share knows its 95 % Wilson interval") {
  // E. B. Wilson's formula, worked by hand in the usual tables.
  CHECK(Share{81, 263}.low() == Approx(0.2553).margin(0.0001));
  CHECK(Share{81, 263}.high() == Approx(0.3662).margin(0.0001));
  CHECK(Share{0, 200}.low() == 0);
  CHECK(Share{0, 200}.high() == Approx(0.0188).margin(0.0001));
  CHECK(Share{200, 200}.high() == 1);
  CHECK(Share{200, 200}.low() == Approx(0.9812).margin(0.0001));
  CHECK(Share{}.low() == 0);
  CHECK(Share{}.high() == 1);
  CHECK(Share{}.value() == 0);
}

TEST_CASE("what becomes of a field follows from how often it differs, and how often by noise") {
  struct Row {
    const char* what;
    Share raw;
    Share noise;
    bool by_diffy;
    Judgement judgement;
  };
  using enum Judgement;
  for (const auto& row : {
           Row{"always, and never by noise", {10'000, 10'000}, {0, 200}, true, finding},
           Row{"in a tenth, and never by noise", {1'000, 10'000}, {0, 200}, true, finding},
           Row{"twice as often as noise", {4'000, 10'000}, {40, 200}, true, finding},
           Row{"as often as noise", {5'000, 10'000}, {98, 200}, false, noise},
           Row{"always, and always by noise", {10'000, 10'000}, {200, 200}, false, noise},
           Row{"less often than noise", {4'000, 10'000}, {180, 200}, false, noise},
           Row{"only by noise", {0, 10'000}, {3, 200}, false, noise},
           Row{"a little above noise", {5'500, 10'000}, {100, 200}, false, noise},
           Row{"rarely, and not yet by noise", {100, 10'000}, {0, 200}, true, uncertain},
           Row{"rarely, and hardly by noise", {100, 10'000}, {1, 200}, true, uncertain},
           Row{"rarely, and not by many controls", {100, 10'000}, {0, 1'000}, true, finding},
           Row{"under the threshold, never by noise", {3, 10'000}, {0, 200}, false, uncertain},
           Row{"under the threshold, noise unknown", {3, 10'000}, {}, false, uncertain},
           Row{"above the threshold, noise unknown", {4, 10'000}, {}, true, finding},
           Row{"always, three controls", {10'000, 10'000}, {0, 3}, true, finding},
           Row{"in a tenth, three controls", {1'000, 10'000}, {0, 3}, true, uncertain},
           Row{"always, too few pairs", {199, 199}, {0, 100}, true, uncertain},
           Row{"always, just enough pairs", {200, 200}, {0, 100}, true, finding},
           Row{"as noise, too few pairs", {100, 199}, {50, 100}, false, uncertain},
           Row{"often, two controls of two", {270, 400}, {2, 2}, false, uncertain},
           Row{"often, one control of two", {270, 400}, {1, 2}, false, uncertain},
           Row{"as noise, nearly enough controls", {5'000, 10'000}, {9, 19}, false, uncertain},
           Row{"as noise, just enough controls", {5'000, 10'000}, {10, 20}, false, noise},
           Row{"nothing at all", {}, {}, false, uncertain},
       }) {
    INFO(row.what);
    CHECK(exceeds_by_diffys_rule(row.raw, row.noise) == row.by_diffy);
    CHECK(name_of(judge(row.raw, row.noise, kMinPairs)) == name_of(row.judgement));
  }
}

TEST_CASE("where fewer pairs are enough, as many controls are") {
  CHECK(judge({5, 10}, {5, 10}, 10) == Judgement::noise);
  CHECK(judge({5, 10}, {4, 9}, 10) == Judgement::uncertain);
}

// How often a field is judged in which way, over many runs of a comparison.
struct Rates {
  double diffy = 0;  // a finding by Diffy's rule alone
  double finding = 0;
  double noise = 0;
  double uncertain = 0;
};

struct Scene {
  double raw;    // probability that a pair with the shadow differs
  double noise;  // that one with a control does
  std::uint64_t pairs = 10'000;
  std::uint64_t controls = 200;
};

Rates simulate(const Scene& scene, unsigned runs = 4'000) {
  std::mt19937_64 random(20'260'101);
  std::binomial_distribution<std::uint64_t> raw(scene.pairs, scene.raw);
  std::binomial_distribution<std::uint64_t> noise(scene.controls, scene.noise);
  Rates rates;
  const double one = 1.0 / runs;
  for (unsigned run = 0; run < runs; ++run) {
    const Share differs{raw(random), scene.pairs};
    const Share by_noise{noise(random), scene.controls};
    if (exceeds_by_diffys_rule(differs, by_noise)) rates.diffy += one;
    const Judgement judgement = judge(differs, by_noise, kMinPairs);
    (judgement == Judgement::finding ? rates.finding
     : judgement == Judgement::noise ? rates.noise
                                     : rates.uncertain) += one;
  }
  return rates;
}

TEST_CASE("noise of identical backends is hardly ever called a finding") {
  for (const double noise : {0.005, 0.01, 0.05, 0.5, 1.0}) {
    const Rates rates = simulate({.raw = noise, .noise = noise});
    INFO("noise " << noise << ", by Diffy's rule alone " << rates.diffy);
    CHECK(rates.finding <= 0.015);
  }
}

TEST_CASE("Diffy's rule alone calls rare noise a finding where controls are few") {
  CHECK(simulate({.raw = 0.005, .noise = 0.005}).diffy > 0.3);
  CHECK(simulate({.raw = 0.01, .noise = 0.01}).diffy > 0.3);
  CHECK(simulate({.raw = 0.05, .noise = 0.05}).diffy > 0.05);
}

TEST_CASE("a true difference is found, or at least not taken for noise") {
  CHECK(simulate({.raw = 1.0, .noise = 0}).finding == Approx(1));
  CHECK(simulate({.raw = 0.1, .noise = 0}).finding == Approx(1));
  // 200 controls without it do not yet say that the same code never does that.
  CHECK(simulate({.raw = 0.01, .noise = 0}).uncertain == Approx(1));
  CHECK(simulate({.raw = 0.01, .noise = 0, .controls = 1'000}).finding > 0.99);
  CHECK(simulate({.raw = 0.01, .noise = 0, .controls = 0}).finding == Approx(1));
  CHECK(simulate({.raw = 1.0, .noise = 0.5}).finding > 0.99);
}

TEST_CASE("a handful of controls never makes a difference noise") {
  for (const std::uint64_t controls : {1U, 2U, 5U, 19U})
    CHECK(simulate({.raw = 0.675, .noise = 0.3, .controls = controls}).noise == 0);
  CHECK(simulate({.raw = 0.675, .noise = 0.3, .controls = 50}).noise < 0.05);
}

// For docs/decisions/0004-noise.md: compare_test "[figures]"
TEST_CASE("figures of both rules", "[.][figures]") {
  std::puts("raw      noise    controls  diffy    finding  noise    uncertain");
  const auto row = [](const Scene& scene) {
    const Rates rates = simulate(scene, 100'000);
    std::printf("%-8.3g %-8.3g %-9llu %-8.4f %-8.4f %-8.4f %-8.4f\n", scene.raw, scene.noise,
                static_cast<unsigned long long>(scene.controls), rates.diffy, rates.finding,
                rates.noise, rates.uncertain);
  };
  for (const std::uint64_t controls : {2U, 19U, 20U, 50U, 100U})
    row({.raw = 0.675, .noise = 0.3, .controls = controls});
  for (const std::uint64_t controls : {200U, 500U, 1'000U}) {
    for (const double noise : {0.0005, 0.005, 0.01, 0.05, 0.5})
      row({.raw = noise, .noise = noise, .controls = controls});
    for (const double difference : {0.01, 0.02, 0.05, 0.1, 1.0})
      row({.raw = difference, .noise = 0, .controls = controls});
    for (const double difference : {0.01, 0.1, 1.0})  // on top of noise
      row({.raw = 0.05 + 0.95 * difference, .noise = 0.05, .controls = controls});
  }
}

}  // namespace
}  // namespace segue::compare
