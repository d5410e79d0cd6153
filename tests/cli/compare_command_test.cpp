// seguectl compare as a user runs it, over journals that the recorder wrote.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "tests/cli/shadowed_journal.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

CommandResult compare(std::vector<std::string> arguments) {
  std::vector<std::string> command{seguectl_path(), "compare"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

std::string source(const TempDir& folder) {
  return "journal:" + folder.path().string();
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) UNSCOPED_INFO("not there: " << part << "\nbut:\n" << text);
  return found;
}

boost::json::object json_of(const CommandResult& result) {
  INFO(result.err);
  return boost::json::parse(result.out).as_object();
}

// The fields of the first route that were judged like that, "body $.price" and so on.
std::string judged(const CommandResult& result, std::string_view judgement) {
  std::string found;
  const auto json = json_of(result);  // the loop would not keep it
  for (const auto& field : json.at("routes").at(0).at("fields").as_array())
    if (field.at("judgement").as_string() == judgement)
      found += fmt::format("{}{} {}", found.empty() ? "" : ", ",
                           std::string_view(field.at("part").as_string()),
                           std::string_view(field.at("field").as_string()));
  return found;
}

Answer search(std::uint64_t made_at, std::string_view price) {
  return {fmt::format(R"({{"generated_at":{},"items":[{{"id":7,"price":{}}}]}})", made_at, price)};
}

// 300 pairs, 60 with a control: every answer has a time of its own, which is noise, and the shadow
// has another price in each tenth.
void fill_with_noise_and_finding(ShadowedJournal& journal) {
  for (std::uint64_t n = 0; n < 300; ++n) {
    journal.pair(n, search(3 * n, "12.50"), search(3 * n + 1, n % 10 == 0 ? "13" : "12.50"));
    if (n % 5 == 0) journal.control(n, search(3 * n + 2, "12.50"));
  }
}

TEST_CASE("compare finds what differs beyond noise, and ends with 1") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  const CommandResult result = compare({source(folder)});
  CHECK(result.exit_code == 1);
  CHECK(result.err.empty());
  CHECK(has(result.out, "300 pairs of primary and shadow, 60 control pairs"));
  CHECK(has(result.out, "search-read  1 finding"));
  CHECK(has(result.out, "90.00 % of pairs (270 of 300; 95 % interval"));
  CHECK(has(result.out, "x body $.items[*].price: other value"));
  CHECK(has(result.out, "10.00 % of pairs (30 of 300;"));
  // Which of the thirty pairs is the example is drawn.
  const auto is_example = [&result](std::uint64_t n) {
    return result.out.find("primary " + primary_id(n).text() + "  12.50\n    shadow  " +
                           shadow_id(n).text() + "  13\n") != std::string::npos;
  };
  std::uint64_t examples = 0;
  for (std::uint64_t n = 0; n < 300; n += 10) examples += is_example(n) ? 1 : 0;
  CHECK(examples == 1);
  CHECK(has(result.out, "- body $.generated_at: other value (100 % of pairs, 100 % of controls)"));
  CHECK(has(result.out, "rules: the defaults"));
  CHECK(result.out.find('\x1b') == std::string::npos);
  CHECK(has(compare({source(folder), "--color", "always"}).out, "\x1b[1;31m1 finding"));
  CHECK(has(compare({source(folder), "--noise"}).out, "at $.generated_at"));
}

TEST_CASE("backends that answer alike are clean: exit 0") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 250; ++n) {
    journal.pair(n, search(1, "12.50"), search(1, "12.50"));
    if (n % 10 == 0) journal.control(n, search(1, "12.50"));
  }
  const CommandResult result = compare({source(folder)});
  CHECK(result.exit_code == 0);
  CHECK(has(result.out, "100 % of pairs (250 of 250;"));
  CHECK(has(result.out, "no findings, 250 pairs compared"));
}

TEST_CASE("the report comes as JSON, as JUnit and as one page of HTML") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  const CommandResult as_json = compare({source(folder), "-o", "json", "--gate", "pairs>=10"});
  CHECK(as_json.exit_code == 0);
  const auto json = json_of(as_json);
  CHECK(json.at("source").as_string() == source(folder));
  CHECK(json.at("rules").is_null());
  CHECK(json.at("pairs").as_int64() == 300);
  CHECK(json.at("from").as_string() == "2025-11-21T09:00:00.000000Z");
  CHECK(json.at("gates").at(0).at("holds").as_bool());
  CHECK(judged(as_json, "finding") == "body $.items[*].price");
  CHECK(judged(as_json, "noise") == "body $.generated_at");
  CHECK(json.at("routes").at(0).at("latency_us").at("primary").at("count").as_int64() == 300);

  const CommandResult as_junit = compare({source(folder), "--output", "junit"});
  CHECK(as_junit.exit_code == 1);
  pugi::xml_document document;
  REQUIRE(document.load_string(as_junit.out.c_str(), pugi::parse_full));
  CHECK(document.child("testsuites").attribute("failures").as_int() == 1);

  const CommandResult as_page = compare({source(folder), "--output", "html"});
  CHECK(as_page.exit_code == 1);
  CHECK(as_page.out.starts_with("<!DOCTYPE html>"));
  CHECK(has(as_page.out, "<title>1 finding: primary and shadow compared</title>"));
  CHECK(has(as_page.out, "seguectl compare --pair 019aa5a4-4"));
}

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

TEST_CASE("rules of the command line silence what they name") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 200; ++n) {
    const auto change = [](std::string_view trace) {
      return [trace](SampleExchange& s) { s.response_fields.push_back({"X-Flavour", trace}); };
    };
    journal.primary(n, {R"({"tags":["a","b"],"rate":1.0000001,"session":"s-11","at":1})"},
                    change("old"));
    journal.shadow(n, {R"({"tags":["b","a"],"rate":1.0000002,"session":"s-22","at":2})"},
                   change("new"));
  }
  const auto findings = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {source(folder), "-o", "json"});
    return judged(compare(flags), "finding");
  };
  const std::string all = findings({});
  for (const char* field : {"header x-flavour", "$.at", "$.rate", "$.session", "$.tags"})
    CHECK(has(all, field));
  CHECK(findings({"--ignore-header", "X-FLAVOUR"}).find("x-flavour") == std::string::npos);
  CHECK(findings({"--ignore-json", "$.at"}).find("$.at") == std::string::npos);
  CHECK(findings({"--array", "$.tags=set"}).find("$.tags") == std::string::npos);
  CHECK(findings({"--tolerance", "$.rate=1e-6"}).find("$.rate") == std::string::npos);
  CHECK(has(findings({"--tolerance", "$.rate=1e-8"}), "$.rate"));
  CHECK(findings({"--ignore", "$.session=s-[0-9]+"}).find("$.session") == std::string::npos);
  CHECK(findings({"--ignore-header", "x-flavour", "--ignore-json", "$.at", "--array", "$.tags=set",
                  "--tolerance", "$.rate=1e-6", "--ignore", "$.session=s-[0-9]+"})
            .empty());
}

TEST_CASE("rules of the configuration hold for their route, those of the command line on top") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 200; ++n)
    journal.pair(n, {R"({"made":1,"price":5})"}, {R"({"made":2,"price":6})"});
  std::ofstream(folder / "segue.yaml") << R"(
version: 1
defaults: { record: { redact: { headers: [authorization, cookie] } } }
listeners: { public: { address: "127.0.0.1:0" } }
backends:
  legacy: { endpoints: ["127.0.0.1:1"] }
  new: { endpoints: ["127.0.0.1:2"] }
routes:
  search-read:
    match: { path: "/searches/{id}" }
    to: legacy
    shadow: { to: new, percent: 100 }
    compare: { ignore_json: [$.made] }
)";
  const std::string config = (folder / "segue.yaml").string();
  const CommandResult configured = compare({source(folder), "-c", config, "-o", "json"});
  CHECK(judged(configured, "finding") == "body $.price");
  CHECK(json_of(configured).at("rules").as_string() == config);
  const CommandResult both =
      compare({source(folder), "-c", config, "-o", "json", "--ignore-json", "$.price"});
  CHECK(both.exit_code == 0);
  CHECK(judged(both, "finding").empty());
  const CommandResult broken = compare({source(folder), "-c", (folder / "absent.yaml").string()});
  CHECK(broken.exit_code == 2);
}

TEST_CASE("filters are about the primary, and take the shadow along") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  const auto on = [](std::string_view route, std::string_view method, std::string_view account) {
    return [=](SampleExchange& s) {
      s.view.decision.route = route;
      s.view.request.head.method = method;
      s.view.account_id = account;
    };
  };
  journal.pair(1, {"{}"}, {"{}"}, on("geo", "GET", "a"));
  journal.pair(2, {"{}", 404}, {"{}", 200}, on("search", "GET", "a"));
  journal.pair(3, {"{}"}, {"{}"}, on("search", "HEAD", "b"));
  journal.pair(4'000, {"{}"}, {"{}"}, on("search", "GET", "b"));
  const auto pairs = [&](std::vector<std::string> filters) {
    filters.insert(filters.begin(), {source(folder), "-o", "json"});
    const auto json = json_of(compare(filters));
    CHECK(json.at("unpaired").at("others").as_int64() == 0);
    CHECK(json.at("unpaired").at("primaries").as_int64() == 0);
    return json.at("pairs").as_int64();
  };
  CHECK(pairs({}) == 4);
  CHECK(pairs({"--route", "search"}) == 3);
  CHECK(pairs({"--status", "4xx"}) == 1);
  CHECK(pairs({"--method", "head"}) == 1);
  CHECK(pairs({"--account", "b"}) == 2);
  CHECK(pairs({"--since", "2025-11-21T09:00:01Z"}) == 1);
  CHECK(pairs({"--until", "2025-11-21T09:00:00.002Z"}) == 1);
  CHECK(compare({source(folder), "--kind", "shadow"}).exit_code == 2);
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
  CHECK(has(result.out, "Too few pairs to decide anything: 5 of at least 200"));
  CHECK(has(result.out, "No control pairs"));
  CHECK(has(result.out, "too little is known to judge"));
  CHECK(compare({source(folder), "--min-pairs", "5"}).exit_code == 1);
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

TEST_CASE("--suggest writes rules that silence the noise") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  const CommandResult result = compare({source(folder), "--suggest"});
  CHECK(result.exit_code == 0);
  CHECK(has(result.out, "search-read"));
  CHECK(has(result.out, "$.generated_at"));
  CHECK(result.out.find("price:") == std::string::npos);
  const CommandResult silent =
      compare({source(folder), "--suggest", "--ignore-json", "$.generated_at"});
  CHECK(silent.exit_code == 0);
  CHECK(has(silent.err, "nothing to suggest"));
}

TEST_CASE("--pair shows one pair in full, by the id of either side or the start of one") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  journal.pair(7, search(1, "12.50"), {R"({"generated_at":2,"items":[]})"});
  journal.control(7, search(1, "12.50"));
  journal.pair(9, search(1, "1"), search(1, "1"));
  for (const ExchangeId& id : {primary_id(7), shadow_id(7), control_id(7)}) {
    const CommandResult result = compare({"--pair", id.text(), source(folder)});
    CHECK(result.exit_code == 1);
    CHECK(has(result.out, "GET /searches/42\nroute search-read, 2025-11-21T09:00:00.007000Z"));
    CHECK(has(result.out, "primary  " + primary_id(7).text() + "  legacy"));
    CHECK(has(result.out, "primary and shadow: different"));
    CHECK(has(result.out, "body $.generated_at: other value\n    primary  1\n    shadow   2\n"));
    CHECK(has(result.out, "primary and control: same"));
  }
  CHECK(compare({"--pair", shadow_id(9).text(), source(folder)}).exit_code == 0);
  const auto json =
      json_of(compare({"--pair", primary_id(7).text(), source(folder), "-o", "json"}));
  CHECK(json.at("primary").at("id").as_string() == primary_id(7).text());
  CHECK(json.at("others").at(0).at("kind").as_string() == "shadow");
  CHECK(json.at("others").at(0).at("differences").as_array().size() >= 2);
  const CommandResult several =
      compare({"--pair", primary_id(7).text().substr(0, 12), source(folder)});
  CHECK(several.exit_code == 2);
  CHECK(has(several.err, "exchanges of 2 pairs begin with"));
  const CommandResult none = compare({"--pair", "01234567-89ab", source(folder)});
  CHECK(none.exit_code == 1);
  CHECK(has(none.err, "no pair of 01234567-89ab"));
}

// Waits until standard output has the text.
std::string wait_for(const std::filesystem::path& file, std::string_view part) {
  const Deadline deadline;
  for (;;) {
    std::string text = read_whole_file(file);
    if (text.find(part) != std::string::npos) return text;
    REQUIRE(deadline.left() > 0);
    poll(nullptr, 0, 10);  // a file has no event that would say it grew
  }
}

TEST_CASE("--follow tells each difference as it comes, and the report at Ctrl-C") {
  const TempDir folder;
  const TempDir output;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  for (const std::string form : {"text", "json"}) {
    Process process({seguectl_path(), "compare", "--follow", source(folder), "-o", form},
                    output / form);
    // What was there is read before anything is told: so noise is known already.
    const auto begun = process.next_error_line();
    REQUIRE(begun);
    CHECK(has(*begun, "pairs compared so far; search-read: 1 finding"));
    const std::uint64_t n = form == "text" ? 1'001 : 2'001;
    journal.pair(n - 1, search(1, "12.50"), search(2, "12.50"));
    journal.pair(n, search(1, "12.50"), search(1, "99"));
    const std::string told = wait_for(output / form, shadow_id(n).text());
    CHECK(has(told, primary_id(n).text()));
    CHECK(has(told, "$.items[*].price"));
    CHECK(told.find(primary_id(n - 1).text()) == std::string::npos);
    CHECK(std::count(told.begin(), told.end(), '\n') == 1);
    process.signal(SIGINT);
    CHECK(process.wait().exit_code == 1);
    CHECK(has(read_whole_file(output / form),
              form == "text" ? "1 finding in 1 of 1 route, " : "\"findings\":1,"));
  }
}

TEST_CASE("--follow with gates ends by them, with one document alone on standard output") {
  const TempDir folder;
  const TempDir output;
  ShadowedJournal journal(folder.path());
  fill_with_noise_and_finding(journal);
  Process process({seguectl_path(), "compare", "--follow", source(folder), "-o", "junit", "--gate",
                   "match>=50%"},
                  output / "xml");
  REQUIRE(process.next_error_line());
  journal.pair(1'000, search(1, "1"), search(1, "2"));
  const auto line = process.next_error_line();
  REQUIRE(line);
  CHECK(has(*line, primary_id(1'000).text()));
  process.signal(SIGINT);
  CHECK(process.wait().exit_code == 0);
  pugi::xml_document document;
  CHECK(document.load_string(read_whole_file(output / "xml").c_str()));
}

TEST_CASE("what cannot be is one clear line, and exit 2") {
  const TempDir folder;
  ShadowedJournal journal(folder.path());
  journal.pair(1, {"{}"}, {"{}"});
  const auto refused = [&](std::vector<std::string> flags, std::string_view why) {
    flags.push_back(source(folder));
    const CommandResult result = compare(flags);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(has(result.err, why));
  };
  refused({"--gate", "quality>=9"}, "quality>=9");
  refused({"--gate", "match"}, "match>=99.9%");
  refused({"--ignore-json", "items"}, "--ignore-json items: ");
  refused({"--array", "$.a=sorted"}, "write PATH=set, PATH=ordered or PATH=by:$.id");
  refused({"--array", "$.a=by:id"}, "--array $.a=by:id: ");
  refused({"--array", "$.a"}, "--array $.a: write");
  refused({"--tolerance", "$.a=-1"}, "write PATH=NUMBER");
  refused({"--tolerance", "$.a=1e999"}, "write PATH=NUMBER");
  refused({"--ignore", "$.a=[a-"}, "--ignore $.a=[a-: ");
  refused({"--pair", "not-an-id"}, "not an exchange id");
  refused({"--pair", "01234567", "-o", "html"}, "--pair is printed as text or json");
  refused({"--shadow-topic", "t"}, "--shadow-topic goes with a source that is a topic");
  CHECK(compare({"journal:/nowhere/at/all"}).exit_code == 2);
  CHECK(compare({source(folder), "--output", "pdf"}).exit_code == 2);
  CHECK(compare({source(folder), "--suggest", "--follow"}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
