// What the programs say to slips of the finger: one line with what is wrong, where, and what to do.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

struct Slip {
  std::vector<std::string> words;
  std::string line;  // what standard error has then
};

void check_seguectl(const std::vector<Slip>& slips) {
  for (const Slip& slip : slips) {
    std::vector<std::string> command{seguectl_path()};
    command.insert(command.end(), slip.words.begin(), slip.words.end());
    const CommandResult result = run_command(command);
    CHECK(result.exit_code == 2);
    CHECK(result.err == slip.line + "\n");
    CHECK(result.out.empty());
  }
}

TEST_CASE("a usage error is one line that names the command") {
  check_seguectl({
      {{"cat", "--bogus"},
       "seguectl cat: The following argument was not expected: --bogus; see `seguectl cat --help`"},
      {{"cat", "--limit", "x"},
       "seguectl cat: --limit: write a whole number, 1 or more, not x; see `seguectl cat --help`"},
      {{"tail", "-n", "-1"},
       "seguectl tail: --lines: write a whole number, 0 or more, not -1; see `seguectl tail "
       "--help`"},
      {{"lag", "--max", "-1"},
       "seguectl lag: --max: write a whole number, 0 or more, not -1; see `seguectl lag --help`"},
      {{"topics", "peek", "--offset", "1e3"},
       "seguectl topics peek: --offset: write a whole number, 0 or more, not 1e3; see `seguectl "
       "topics peek --help`"},
      {{"show", "01a20175", "--as", "perl"},
       "seguectl show: --as: perl not in {text,json,curl,har}; see `seguectl show --help`"},
  });
}

TEST_CASE("a command that there is none of is named, with those that there are") {
  check_seguectl({
      {{"journal", "stauts"},
       "seguectl journal: there is no command 'stauts'; there are status, verify, drop-consumer"},
      {{"journal"}, "seguectl journal: which command? There are status, verify, drop-consumer"},
  });
  const CommandResult result = run_command({segue_path(), "server"});
  CHECK(result.exit_code == 2);
  CHECK(result.err == "segue: there is no command 'server'; there are serve, validate, routes\n");
}

TEST_CASE("a configuration that cannot be used is told by the first thing that is wrong with it") {
  const TempDir folder;
  const std::string missing = (folder / "segue.yaml").string();
  const std::string unreadable = folder.write("bad.yaml", "version: 1\nlistener: {}\n").string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"cat"}, {"verify"}, {"journal", "status"}}) {
    std::vector<std::string> with_missing = command;
    with_missing.insert(with_missing.end(), {"-c", missing});
    std::vector<std::string> with_unreadable = command;
    with_unreadable.insert(with_unreadable.end(), {"-c", unreadable});
    check_seguectl({
        {with_missing, "seguectl: " + missing + ": cannot read the file: No such file or directory; "
                       "`segue validate " + missing + "` shows it"},
        {with_unreadable, "seguectl: " + unreadable + ": the file needs 'backends' (and 3 more); "
                          "`segue validate " + unreadable + "` shows it"},
    });
  }
}

TEST_CASE("a journal that is not there is told with the key that says where it is") {
  const TempDir folder;
  const std::string journal = "journal:" + (folder / "nowhere").string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"cat"}, {"tail"}, {"show", "01a20175"}, {"compare"}}) {
    std::vector<std::string> words = command;
    words.push_back(journal);
    check_seguectl({{words, "seguectl: " + journal + ": opening the journal's folder: No such file "
                            "or directory; give the folder of recorder.journal.dir"}});
  }
}

TEST_CASE("segue serve without -c takes the segue.yaml of its folder") {
  const TempDir folder;
  const CommandResult result =
      run_command({"/bin/sh", "-c", "cd '" + folder.path().string() + "' && '" + segue_path() +
                                        "' serve"});
  CHECK(result.exit_code == 2);
  CHECK(result.err ==
        "segue.yaml: error[E001]: cannot read the file: No such file or directory\n"
        "segue: segue.yaml has 1 error\n");
}

}  // namespace
}  // namespace segue::test
