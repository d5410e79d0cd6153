// The corpora of other parsers, read by the gateway's: where the verdicts differ is listed in
// docs/http.md, and the list is what happens, in both directions.

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/conformance_corpus.hpp"
#include "tests/gateway/conformance_replay.hpp"

namespace segue::gateway::http1 {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 20;

struct Corpora {
  Corpus gunicorn = read_gunicorn(conformance_folder() / "gunicorn");
  Corpus llhttp = read_llhttp(conformance_folder() / "llhttp");

  std::vector<CorpusCase> all() const {
    auto cases = gunicorn.cases;
    cases.insert(cases.end(), llhttp.cases.begin(), llhttp.cases.end());
    return cases;
  }
};

// Cases by name, each with the reason that its row begins with (none: empty).
using Listing = std::map<std::string, std::string>;

std::vector<std::string> code_spans(std::string_view line) {
  std::vector<std::string> spans;
  for (std::size_t at = 0; (at = line.find('`', at)) != std::string_view::npos;) {
    const auto end = line.find('`', at + 1);
    if (end == std::string_view::npos) break;
    spans.emplace_back(line.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return spans;
}

bool is_case_name(std::string_view span) {
  return span.starts_with("gunicorn/") || span.starts_with("llhttp/");
}

// The cases that the table under a heading of docs/http.md lists.
Listing listed_under(std::string_view heading) {
  std::ifstream in(SEGUE_SOURCE_DIR "/docs/http.md");
  Listing listed;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) inside = line.ends_with(heading);
    if (!inside || !line.starts_with("| ")) continue;
    std::string reason;
    for (const auto& span : code_spans(line)) {
      if (is_case_name(span)) {
        INFO("listed twice: " << span);
        CHECK(listed.emplace(span, reason).second);
      } else if (line.starts_with("| `" + span + "` |")) {
        reason = span;
      }
    }
  }
  return listed;
}

void check_equal(const Listing& facts, const Listing& listed) {
  for (const auto& [name, reason] : facts) {
    const auto found = listed.find(name);
    if (found == listed.end()) {
      FAIL_CHECK("not listed in docs/http.md: " << name << " " << reason);
    } else if (found->second != reason) {
      FAIL_CHECK(name << " is listed with " << found->second << ", but it is " << reason);
    }
  }
  for (const auto& [name, reason] : listed) {
    if (!facts.contains(name)) FAIL_CHECK("listed in docs/http.md, but not so: " << name);
  }
}

TEST_CASE("what other parsers reject and Segue accepts is what the documentation lists") {
  Listing facts;
  for (const auto& sent : Corpora().all()) {
    if (sent.verdict == Verdict::rejected && replay(sent, kAtOnce).accepted()) facts[sent.name];
  }
  check_equal(facts, listed_under("Rejected there, accepted here"));
}

TEST_CASE("what other parsers reject and Segue waits to see the end of is what is listed") {
  Listing facts;
  for (const auto& sent : Corpora().all()) {
    const auto ours = replay(sent, kAtOnce);
    if (sent.verdict == Verdict::rejected && ours.refusal.empty() && !ours.finished) {
      facts[sent.name];
    }
  }
  check_equal(facts, listed_under("Rejected there, unfinished here"));
}

TEST_CASE("what other parsers accept and Segue refuses is what the documentation lists") {
  Listing facts;
  for (const auto& sent : Corpora().all()) {
    const auto ours = replay(sent, kAtOnce);
    if (sent.verdict == Verdict::accepted && !ours.refusal.empty()) facts[sent.name] = ours.refusal;
  }
  check_equal(facts, listed_under("Accepted there, refused here"));
}

TEST_CASE("what both accept has as many messages and as much content for both") {
  std::size_t compared = 0;
  for (const auto& sent : Corpora().llhttp.cases) {
    const auto ours = replay(sent, kAtOnce);
    if (!sent.reading || sent.verdict == Verdict::rejected || !ours.refusal.empty()) continue;
    INFO(sent.name);
    CHECK(ours.messages == sent.reading->messages);
    CHECK(ours.content == sent.reading->content);
    ++compared;
  }
  CHECK(compared > 0);
}

TEST_CASE("the corpora are read alike however their bytes come") {
  for (const auto& sent : Corpora().all()) {
    INFO(sent.name);
    const auto ours = replay(sent, kAtOnce);
    CHECK(replay(sent, 1) == ours);
    CHECK(replay(sent, 7) == ours);
  }
}

// Counted by other means than they are read by.
std::size_t lines_that_are(const std::filesystem::path& folder, std::string_view a,
                           std::string_view b) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) count += line == a || line == b ? 1 : 0;
  }
  return count;
}

TEST_CASE("every case of the corpora is replayed, or left out by a rule and counted") {
  const Corpora corpora;
  std::size_t left_out = 0;
  std::string rules;
  for (const auto& [why, count] : corpora.llhttp.left_out) {
    left_out += count;
    rules += fmt::format("{}{} for {}", rules.empty() ? "" : ", ", count, why);
  }
  CHECK(corpora.llhttp.cases.size() + left_out ==
        lines_that_are(conformance_folder() / "llhttp", "```http", "```url"));
  CHECK(corpora.gunicorn.cases.size() > 0);
  CHECK(corpora.gunicorn.left_out.empty());
  fmt::print("gunicorn: {} cases replayed\nllhttp: {} cases replayed, {} left out ({})\n",
             corpora.gunicorn.cases.size(), corpora.llhttp.cases.size(), left_out, rules);
}

}  // namespace
}  // namespace segue::gateway::http1
