#include "warehouse/upkeep/verification.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <functional>

#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting.hpp"
#include "warehouse/upkeep/retention.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

using Catch::Matchers::ContainsSubstring;

const Day kDay = *parse_day("2026-11-10");
const Day kNext = kDay + std::chrono::days(1);
const Chain kChain{"shop", "0"};
constexpr std::int64_t kNow = 1'800'000'000'000'000;

std::vector<MadeRow> rows(std::uint64_t from, std::uint64_t count) {
  std::vector<MadeRow> made(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    made[i].id = from + i;
    if (i == 1) made[i].account = "ann";
  }
  return made;
}

VerificationReport verify(MadeArchive& made, VerificationOptions options = {},
                          std::int64_t now = kNow) {
  MadeBench bench(made.store());
  options.rows = VerificationOptions::Rows::each;
  return Verification(made.archive(), *bench, options, now).run();
}

// "kind where", sorted as found.
std::string found(const VerificationReport& report) {
  std::string text;
  for (const Finding& finding : report.findings)
    text += fmt::format("{} {}\n", name_of(finding.kind), finding.where);
  return text;
}

// Three claims, of which the first day was compacted.
struct Made : MadeArchive {
  Made() {
    first = add(kChain, kDay, rows(1, 10));
    MadeBench bench(store());
    Compactor(archive(), *bench, {.before = kNext}, kNow).run();
    second = add(kChain, kNext, rows(11, 20));
    third = add(kChain, kNext, rows(31, 5));
  }
  Claim first, second, third;
};

TEST_CASE("an archive that is whole has no findings, and is counted") {
  Made made;
  const auto report = verify(made);
  CHECK(found(report).empty());
  CHECK(report.chains == 1);
  CHECK(report.claims == 3);
  CHECK(report.files == 3);
  CHECK(report.rows == 35);
}

TEST_CASE("a file that is missing, cut, changed, another's or none at all is found") {
  Made made;
  const std::string key = made.file_of(made.second);
  const std::string whole = *made.store().read(key);
  made.store().remove(key);
  CHECK(found(verify(made)) == "missing " + key + "\n");
  made.store().replace(key, whole.substr(0, whole.size() - 1));
  CHECK(found(verify(made)) == "damaged " + key + "\n");
  std::string changed = whole;
  changed[whole.size() / 3] = static_cast<char>(changed[whole.size() / 3] ^ 1);
  made.store().replace(key, changed);
  CHECK(found(verify(made)) == "damaged " + key + "\n");
  CHECK(verify(made, {.hashes = VerificationOptions::Hashes::compare}).rows == 35);
  made.store().replace_from(key, made.path_of(made.file_of(made.third)));
  CHECK(found(verify(made)) == "damaged " + key + "\n");
  made.store().replace(key, std::string(whole.size(), 'x'));
  CHECK(found(verify(made)) == "damaged " + key + "\n");
  made.store().replace(key, whole);
  CHECK(found(verify(made)).empty());
}

TEST_CASE("a compacted file that is missing or changed is found, and raw files that went are not") {
  Made made;
  made.store().remove(made.file_of(made.first));
  CHECK(found(verify(made)).empty());
  const std::string key = compaction_of(made.store(), kDay)->outputs[0].path;
  const std::string whole = *made.store().read(key);
  made.store().replace(key, whole + "x");
  CHECK(found(verify(made)) == "damaged " + key + "\n");
  made.store().remove(key);
  CHECK(found(verify(made)) == "missing " + key + "\n");
}

// Verifies and does something at each of the moments at which it may be told to end, one after the
// other; all that was found.
std::string found_beside(const std::function<void(MadeArchive&, unsigned moment)>& doing) {
  std::string all;
  for (unsigned moment = 1;; ++moment) {
    Made made;
    unsigned moments = 0;
    MadeBench bench(made.store());
    const UpkeepWatch watch{.told_to_end = [&] {
      if (++moments == moment) doing(made, moment);
      return false;
    }};
    all += found(Verification(made.archive(), *bench, {.rows = VerificationOptions::Rows::each},
                              kNow, watch)
                     .run());
    if (moments < moment) return all;
  }
}

TEST_CASE("a forget that goes by while an archive is verified makes no findings") {
  CHECK(found_beside([](MadeArchive& made, unsigned) {
          MadeBench bench(made.store());
          Forgetting(made.archive(), *bench, {"ann"}).run();
        }) == "");
}

TEST_CASE("compaction and retention that go by while an archive is verified make no findings") {
  CHECK(found_beside([](MadeArchive& made, unsigned) {
          MadeBench bench(made.store());
          Compactor(made.archive(), *bench,
                    {.before = kNext + std::chrono::days(1), .grace = std::chrono::seconds(0)},
                    kNow)
              .run();
          Compactor(made.archive(), *bench,
                    {.before = kNext + std::chrono::days(1), .grace = std::chrono::seconds(0)},
                    kNow + 1)
              .run();
        }) == "");
  CHECK(found_beside([](MadeArchive& made, unsigned) {
          Retention(made.archive(), kNext).run();
        }) == "");
}

TEST_CASE("claims that are missing, overlap, or are damaged are found") {
  Made made;
  const std::string text = *made.store().read(made.second.key());
  made.store().remove(made.second.key());
  auto report = verify(made);
  CHECK_THAT(found(report), ContainsSubstring("missing shop/0\n"));
  CHECK_THAT(report.findings[0].what, ContainsSubstring("records 11 to 30"));
  made.store().replace(made.second.key(), text.substr(0, text.size() / 2));
  CHECK_THAT(found(verify(made)), ContainsSubstring("damaged " + made.second.key()));
  Claim longer = made.second;
  longer.end = made.third.start;
  made.store().replace(made.second.key(), to_json(longer));
  CHECK_THAT(found(verify(made)), ContainsSubstring("twice " + made.third.key()));
  made.store().replace(made.second.key(), text);
  made.store().replace(done_key(kChain, made.third.start), "{}");
  CHECK_THAT(found(verify(made)), ContainsSubstring("damaged " + made.third.key()));
  made.store().replace(genesis_key(kChain), "{\"format_version\":1}");
  CHECK_THAT(found(verify(made)), ContainsSubstring("damaged " + genesis_key(kChain)));
  made.store().remove(genesis_key(kChain));
  CHECK_THAT(found(verify(made)), ContainsSubstring("damaged " + genesis_key(kChain)));
}

TEST_CASE("a claim without .done is being worked on at first, and a finding later") {
  Made made;
  const Claim open = made.add(kChain, kNext, rows(40, 2), MadeArchive::End::published);
  const std::int64_t minute = 60'000'000;
  CHECK(verify(made, {}, open.claimed_at + 10 * minute).findings.empty());
  CHECK(verify(made, {}, open.claimed_at + 10 * minute).open == 1);
  CHECK(found(verify(made, {}, open.claimed_at + 61 * minute)) == "unfinished " + open.key() + "\n");
}

TEST_CASE("files of which the books know nothing are found") {
  Made made;
  const auto some = made.path_of(made.file_of(made.second));
  const std::string foreign = raw_folder(kNext) + "notes.txt";
  made.store().create(foreign, "x");
  CHECK(found(verify(made)) == "stray " + foreign + "\n");
  made.store().remove(foreign);
  for (const std::string folder : {"_commits/100%zz/", "_commits/shop/a%4/"}) {
    made.store().create(folder + "0/notes.txt", "x");
    CHECK(found(verify(made)) == "stray " + folder + "\n");
    made.store().remove(folder + "0/notes.txt");
    std::filesystem::remove_all(made.folder() / folder);
  }
  const std::string nobodys = raw_key(kNext, {"else", "0"}, 1, 20);
  made.store().create_from(nobodys, some);
  CHECK(found(verify(made)) == "stray " + nobodys + "\n");
  made.store().remove(nobodys);
  const std::string twice = raw_key(kNext + std::chrono::days(1), kChain, 11, 30);
  made.store().create_from(twice, some);
  CHECK(found(verify(made)) == "twice " + twice + "\n");
  made.store().remove(twice);
  const std::string compacted = compact_key(kDay, 9, "0123456789abcdef");
  made.store().create_from(compacted, some);
  CHECK(found(verify(made)) == "twice " + compacted + "\n");
  made.store().remove(compacted);
  // Of a day that is not compacted yet it is what a killed compaction left.
  made.store().create_from(compact_key(kNext, 9, "0123456789abcdef"), some);
  CHECK(found(verify(made)).empty());
}

TEST_CASE("a record that went into no compaction is found though its file is there") {
  Made made;
  made.add_placed(kChain, kNext, kDay, rows(36, 4));
  CHECK_THAT(found(verify(made)), ContainsSubstring("missing raw/dt=2026-11-10/"));
}

TEST_CASE("what was lost is told, with the reason") {
  Made made;
  made.add_lost(kChain, kNext, 7);
  const auto report = verify(made);
  CHECK(report.lost == 7);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == Finding::Kind::lost);
  CHECK_THAT(report.findings[0].what, ContainsSubstring("records 36 to 42: the ring was full"));
}

TEST_CASE("rows of another claim are found by looking at each") {
  Made made;
  const std::string key = made.file_of(made.second);
  const auto& third = made.file_of(made.third);
  made.store().replace_from(key, made.path_of(third));
  Done done = *made.archive().done(made.second);
  done.file = made.archive().done(made.third)->file;
  made.store().replace(done_key(kChain, made.second.start), to_json(done));
  CHECK_THAT(found(verify(made)), ContainsSubstring("damaged " + key));
}

}  // namespace
}  // namespace segue::warehouse
