// What seguectl compare says, and how it ends, where little or nothing can be compared.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "tests/cli/comparing_command.hpp"

namespace segue::test {
namespace {

TEST_CASE("gates alone decide the exit code") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  const CommandResult holds = compare({source(folder), "--gate", "match>=80%"});
  CHECK(holds.exit_code == 0);
  CHECK(has(holds.out, "ok    match>=80%"));
  const CommandResult fails =
      compare({source(folder), "--gate", "match>=80%", "--gate", "findings<=0"});
  CHECK(fails.exit_code == 1);
  CHECK(has(fails.out, "ok    match>=80%\nFAIL  findings<=0\n      search-read: "));
  CHECK(compare({source(folder), "--gate", "p99<=1.2x"}).exit_code == 0);
  CHECK(compare({source(folder), "--gate", "pairs>=1000"}).exit_code == 1);
  CHECK(compare({source(folder), "--gate", "match>=80%", "--min-pairs", "301"}).exit_code == 1);
}

TEST_CASE("a route that shadows and has no pair is in the report, and fails every gate") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 200; ++n) journal.pair(n, {"{}"}, {"{}"});
  std::ofstream(folder / "segue.yaml") << R"(
version: 1
defaults: { record: { redact: { headers: [authorization, cookie] } } }
listeners: { public: { address: "127.0.0.1:0" } }
backends:
  legacy: { endpoints: ["127.0.0.1:1"] }
  new: { endpoints: ["127.0.0.1:2"] }
routes:
  search-read: { match: { path: "/searches/{id}" }, to: legacy, shadow: { to: new, percent: 100 } }
  silent: { match: { path: /silent }, to: legacy, shadow: { to: new, percent: 100 } }
  off: { match: { path: /off }, to: legacy, shadow: { to: new, percent: 0 } }
  plain: { match: { path: /plain }, to: legacy }
)";
  const std::string config = (folder / "segue.yaml").string();
  const CommandResult gated =
      compare({source(folder), "-c", config, "--gate", "match>=99%", "--gate", "findings<=9"});
  CHECK(gated.exit_code == 1);
  CHECK(has(gated.out, "FAIL  match>=99%\n      silent: no pairs\n"));
  CHECK(has(gated.out, "FAIL  findings<=9\n      silent: no pairs\n"));
  CHECK(has(gated.out, "No pairs: nothing of this route was compared."));
  CHECK(gated.out.find("off: ") == std::string::npos);
  CHECK(gated.out.find("plain") == std::string::npos);
  const CommandResult one =
      compare({source(folder), "-c", config, "--route", "search-read", "--gate", "match>=99%"});
  CHECK(one.exit_code == 0);
  const CommandResult none =
      compare({source(folder), "-c", config, "--route", "silent", "--gate", "match>=99%"});
  CHECK(none.exit_code == 2);
  CHECK(has(none.err, "nothing to compare"));
}

TEST_CASE("controls alone are nothing to compare, and so is nothing to suggest from") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  journal.primary(1, {"{}"});
  journal.control(1, {"{}"});
  for (const char* flag : {"--noise", "--suggest"}) {
    const CommandResult result = compare({source(folder), flag});
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(has(result.err, "nothing to compare"));
  }
}

TEST_CASE("a report that cannot be written is a failure, in every form") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  const std::vector<std::string> forms{"",         "-o json",   "-o html",
                                       "-o junit", "--suggest", "--pair " + primary_id(1).text()};
  for (const std::string& options : forms) {
    INFO(options);
    const CommandResult result = run_command(
        {"/bin/sh", "-c",
         seguectl_path() + " compare " + source(folder) + " " + options + " > /dev/full"});
    CHECK(result.exit_code == 2);
    CHECK(has(result.err, "cannot write to standard output"));
  }
}

TEST_CASE("a source without pairs says why, and ends with 2") {
  const TempDir empty;
  const ShadowedJournal journal(empty.path());
  const CommandResult nothing = compare({source(empty)});
  CHECK(nothing.exit_code == 2);
  CHECK(nothing.out.empty());
  CHECK(has(nothing.err, "nothing to compare: no pair of primary and shadow in journal:"));
  CHECK(has(nothing.err, "shadow a route"));

  const TempDir skipped;
  ShadowedJournal sampling(skipped.path());
  sampling.primary(1, {"{}"},
                   [](SampleExchange& s) { s.view.decision.shadow = "skipped_sampling"; });
  CHECK(has(compare({source(skipped)}).err, "skipped_sampling 1"));

  const TempDir elsewhere;
  ShadowedJournal alone(elsewhere.path());
  alone.primary(1, {"{}"});
  const CommandResult lonely = compare({source(elsewhere), "--gate", "match>=1%"});
  CHECK(lonely.exit_code == 2);
  CHECK(has(lonely.err, "1 primary exchange sent a shadow that is not on record here"));
  CHECK(compare({source(elsewhere), "--route", "nowhere"}).exit_code == 2);
}

TEST_CASE("too few pairs, and no controls, are said and decide nothing") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 5; ++n) journal.pair(n, search(1, "1"), search(1, "2"));
  const CommandResult result = compare({source(folder)});
  CHECK(result.exit_code == 0);
  CHECK(has(result.out,
            "Too few pairs that could be compared to decide anything: 5 of at least "
            "200"));
  CHECK(has(result.out, "No control pairs"));
  CHECK(has(result.out, "too little is known to judge"));
  CHECK(compare({source(folder), "--min-pairs", "5"}).exit_code == 1);
}

TEST_CASE("controls that were sent, and could not be compared, are not said to be missing") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 5; ++n) {
    journal.pair(n, search(1, "1"), search(1, "1"));
    journal.control(n, search(1, "1"), [](SampleExchange& s) {
      s.view.response.body.capture = Capture::truncated;
      s.view.response.body.size = 99;
    });
  }
  const CommandResult result = compare({source(folder)});
  CHECK(has(result.out, "None of 5 control pairs could be compared"));
  CHECK(result.out.find("No control pairs") == std::string::npos);
  journal.control(0, search(1, "1"));
  journal.pair(7, search(1, "1"), search(1, "1"));
  journal.control(7, search(1, "1"));
  CHECK(has(compare({source(folder), "--min-pairs", "6"}).out,
            "Too few control pairs to call anything noise: 1 of at least 6"));
}

TEST_CASE("what was not shadowed, not paired and not comparable is told apart") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  journal.pair(1, {"{}"}, {"{}"});
  journal.pair(2, {"{}"}, {"denied", 401, "text/plain"});
  journal.primary(3, {"{}"});
  journal.shadow(4, {"{}"});
  journal.primary(5, {"{}"},
                  [](SampleExchange& s) { s.view.decision.shadow = "skipped_in_flight"; });
  journal.primary(6, {"{}"});
  journal.shadow(6, {"{}"}, [](SampleExchange& s) {
    s.view.response.body.capture = Capture::truncated;
    s.view.response.body.size = 99;
  });
  const auto json = json_of(compare({source(folder), "-o", "json"}));
  const auto& route = json.at("routes").at(0).as_object();
  CHECK(route.at("credentials").as_int64() == 1);
  CHECK(route.at("incomparable").as_object().size() == 1);
  CHECK(json.at("unpaired").at("primaries").as_int64() == 1);
  CHECK(json.at("unpaired").at("others").as_int64() == 1);
  CHECK(json.at("not_shadowed").at("skipped_in_flight").as_int64() == 1);
}

}  // namespace
}  // namespace segue::test
