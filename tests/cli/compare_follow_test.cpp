// seguectl compare --follow.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <pugixml.hpp>
#include <string>

#include "tests/cli/comparing_command.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

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

TEST_CASE("follow tells each difference as it comes, and the report at Ctrl-C") {
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

TEST_CASE("Ctrl-C while --follow still reads what is there ends with a report, too") {
  const TempDir folder;
  const TempDir output;
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 5'000; ++n) journal.pair(n, search(1, "12.50"), search(2, "13"));
  Process process({seguectl_path(), "compare", "--follow", source(folder), "-o", "json"},
                  output / "json");
  // As soon as it listens, which is before it reads.
  const auto listens = [&process] {
    const std::string status = read_whole_file(fmt::format("/proc/{}/status", process.pid()));
    const auto at = status.find("SigCgt:");
    return at != std::string::npos && (std::stoull(status.substr(at + 7), nullptr, 16) &
                                       (std::uint64_t{1} << (SIGINT - 1))) != 0;
  };
  const Deadline deadline;
  while (!listens()) REQUIRE(deadline.left() > 0);
  process.signal(SIGINT);
  const ProcessEnd end = process.wait();
  // With no pair yet there is nothing to report.
  REQUIRE(end.exit_code);
  const std::string report = read_whole_file(output / "json");
  if (end.exit_code == 2)
    CHECK(report.empty());
  else
    CHECK(boost::json::parse(report).at("pairs").as_int64() > 0);
}

TEST_CASE("follow with gates ends by them, with one document alone on standard output") {
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

}  // namespace
}  // namespace segue::test
