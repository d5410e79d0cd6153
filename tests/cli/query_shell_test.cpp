// The shell of seguectl query, at a terminal.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/cli/comparing_command.hpp"
#include "tests/cli/shadowed_journal.hpp"
#include "tests/cli/terminal.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr const char* kPrompt = "segue> ";

// A journal of ten pairs, and a shell over it.
class Shell {
 public:
  Shell() {
    ShadowedJournal journal(folder_.path() / "journal");
    for (std::uint64_t n = 0; n < 10; ++n) journal.pair(n, {.body = "{}"}, {.body = "{}"});
  }

  // `more`: of its environment.
  Terminal open(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"XDG_STATE_HOME=" + (folder_.path() / "state").string(), "TERM=dumb",
                             "LC_ALL=C.UTF-8"});
    return {{seguectl_path(), "query", "journal:" + (folder_.path() / "journal").string(), "-o",
             "csv"},
            more};
  }
  std::filesystem::path history() const { return folder_.path() / "state/segue/query_history"; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TempDir folder_;
};

TEST_CASE("a statement over two lines is asked at its semicolon") {
  const Shell shell;
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT count(*) AS primaries FROM exchanges\r");
  terminal.read_prompt("...> ");
  terminal.press("WHERE kind = 'PRIMARY'; -- ';'\r");
  terminal.read_until("primaries\r\n10\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("what a shell that was killed left in the folder for temporary files, the next one removes") {
  const Shell shell;
  const TempDir temporary;
  const auto left = [&] {
    std::size_t folders = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(temporary.path()))
      folders += entry.path().filename().string().starts_with("segue-staging-");
    return folders;
  };
  {
    Terminal killed = shell.open({"TMPDIR=" + temporary.path().string()});
    killed.read_prompt(kPrompt);
  }
  CHECK(left() > 0);
  Terminal terminal = shell.open({"TMPDIR=" + temporary.path().string()});
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
  CHECK(left() == 0);
}

TEST_CASE("Tab completes tables, columns, keywords and commands") {
  const Shell shell;
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT count(path_t\t) AS n FROM exchan\t;\r");
  terminal.read_until("n\r\n0\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press(".sche\tpairs\r");
  terminal.read_until("copy_latency_us");
  terminal.read_prompt(kPrompt);
  terminal.press(".quit\r");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("Ctrl-C takes back a line, and ends a statement, but not the shell") {
  const Shell shell;
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT nonsense\x03");
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT range AS endless FROM range(1000000000000);\r");
  // Only while a statement runs is the key a signal: its first rows are here.
  terminal.read_until("endless\r\n0\r\n");
  terminal.press("\x03");
  terminal.read_until("interrupted");
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT 40 + 2 AS answer;\r");
  terminal.read_until("answer\r\n42\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("a statement that is wrong is told with a caret under the place, and the shell goes on") {
  const Shell shell;
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT nothing FROM exchanges;\r");
  terminal.read_until("LINE 1: SELECT nothing FROM exchanges");
  terminal.read_until("^");
  terminal.read_prompt(kPrompt);
  terminal.press(".nonsense\r");
  terminal.read_until(".help lists");
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("what was asked is there in the next session, and nobody else may read it") {
  const Shell shell;
  {
    Terminal terminal = shell.open();
    terminal.read_prompt(kPrompt);
    terminal.press("SELECT 'remember' ||\r");
    terminal.read_prompt("...> ");
    terminal.press("'ed' AS words;\r");
    terminal.read_until("remembered");
    terminal.read_prompt(kPrompt);
    terminal.press("\x04");
    CHECK(terminal.wait() == 0);
  }
  namespace fs = std::filesystem;
  REQUIRE(fs::exists(shell.history()));
  CHECK((fs::status(shell.history()).permissions() & fs::perms::others_all) == fs::perms::none);
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press("\x10\r");  // Ctrl-P: the line before
  terminal.read_until("words\r\nremembered\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("words after a dot command are quoted as in a shell") {
  const Shell shell;
  const TempDir queries;
  queries.write("echo.sql", "-- Says a value.\n-- param value: which\n"
                            "SELECT getvariable('value') AS said;\n");
  std::ofstream(shell.folder() / "two words.sql") << "SELECT 3 AS three;";
  Terminal terminal = shell.open({"SEGUE_QUERIES=" + queries.path().string()});
  terminal.read_prompt(kPrompt);
  terminal.press(".saved echo value='1 day'\r");
  terminal.read_until("said\r\n1 day\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press(".saved echo \"value=it's \\\"so\\\"\"\r");
  terminal.read_until("said\r\n\"it's \"\"so\"\"\"\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press(fmt::format(".read {}/two\\ words.sql\r", shell.folder().string()));
  terminal.read_until("three\r\n3\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press(".saved echo value='1 day\r");
  terminal.read_until("a quote is not closed");
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
}

TEST_CASE("answers go where .output says, and .read runs a file") {
  const Shell shell;
  const auto file = shell.folder() / "answer.json";
  std::ofstream(shell.folder() / "two.sql") << "SELECT 1 AS one; SELECT 2 AS two;";
  Terminal terminal = shell.open();
  terminal.read_prompt(kPrompt);
  terminal.press(fmt::format(".read {}\r", (shell.folder() / "two.sql").string()));
  terminal.read_until("one\r\n1\r\n");
  terminal.read_until("two\r\n2\r\n");
  terminal.read_prompt(kPrompt);
  terminal.press(fmt::format(".output json {}\r", file.string()));
  terminal.read_prompt(kPrompt);
  terminal.press("SELECT count(*) AS n FROM exchanges;\r");
  terminal.read_until(" s\r\n");  // the timer
  terminal.read_prompt(kPrompt);
  terminal.press("\x04");
  CHECK(terminal.wait() == 0);
  std::ifstream answer(file);
  CHECK(std::string(std::istreambuf_iterator<char>(answer), {}) == "{\"n\":20}\n");
}

}  // namespace
}  // namespace segue::test
