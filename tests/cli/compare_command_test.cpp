// seguectl compare as a user runs it, over journals that the recorder wrote.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "tests/cli/comparing_command.hpp"

namespace segue::test {
namespace {

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

TEST_CASE("a report is the same whether records are read whole or only what is compared") {
  const TempDir folder;
  {
    ShadowedJournal journal(folder.path());
    fill_with_noise_and_finding(journal);
  }
  const auto compared = compare({source(folder), "-o", "json"});
  const auto whole = compare({source(folder), "-o", "json", "--account", "user-7"});
  CHECK(compared.exit_code == 1);
  CHECK(compared.out == whole.out);
  CHECK(compared.err == whole.err);
}

TEST_CASE("suggest writes rules that silence the noise") {
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

TEST_CASE("pair shows one pair in full, by the id of either side or the start of one") {
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
  CHECK(compare({source(folder), "--suggest", "--gate", "findings<=0"}).exit_code == 2);
  CHECK(compare({source(folder), "--pair", "01234567", "--gate", "findings<=0"}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
