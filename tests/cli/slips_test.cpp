// What the programs say to slips of the finger: one line with what is wrong, where, and what to do.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
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

TEST_CASE("help says what is to be written behind an option, not which type of C++ takes it") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{seguectl_path(), "cat"}, {seguectl_path(), "compact"},
        {seguectl_path(), "topics", "ensure"}, {seguectl_path(), "restore"},
        {seguectl_path(), "archive"}, {segue_path(), "routes", "test"}}) {
    std::vector<std::string> command = words;
    command.emplace_back("--help");
    const CommandResult result = run_command(command);
    CHECK(result.exit_code == 0);
    for (const char* type : {"TEXT:", "INT", "FLOAT"}) {
      const bool named = result.out.find(type) != std::string::npos;
      INFO(result.out);
      CHECK_FALSE(named);
    }
  }
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

TEST_CASE("a folder that is no journal is told with what lies there, and where one is") {
  const TempDir folder;
  for (const char* name : {"LICENSE", "a.txt", "b.txt", "c.txt"}) folder.write(name, "text");
  const std::string said = "journal:" + folder.path().string() +
                           ": no journal: it has no folder of a gateway's run, such as "
                           "20261121T105436.123456Z-9f86d081, but .git, LICENSE, a.txt and ";
  const std::string source = "journal:" + folder.path().string();
  const auto check = [&](const std::string& rest) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"cat", source}, {"journal", "status", source},
          {"query", "FROM exchanges", source}, {"lag", "--journal", folder.path().string()},
          {"archive", source, "--once", "--to", "archive:" + (folder / "archive").string()}}) {
      std::vector<std::string> command{seguectl_path()};
      command.insert(command.end(), words.begin(), words.end());
      const CommandResult result = run_command(command);
      CHECK(result.exit_code == 2);
      CHECK(result.err == "seguectl: " + said + rest + "\n");
    }
  };
  std::filesystem::create_directory(folder / ".git");
  std::filesystem::create_directories(folder / "d");
  std::filesystem::create_directory(folder / "archive");
  check("4 more; give the folder of recorder.journal.dir");
  std::filesystem::create_directories(folder / "d/20261121T105436.123456Z-9f86d081");
  check("4 more; give the folder of recorder.journal.dir; " + (folder / "d").string() + " is one");
}

TEST_CASE("what is no source is told with the forms that the command takes, and no others") {
  const TempDir folder;
  const std::string archive = "archive:" + folder.path().string();
  const std::string recorded = "; write journal:DIR or kafka://BROKERS/TOPIC";
  const std::string topic = "; write kafka://host:port,host:port/TOPIC";
  check_seguectl({
      {{"cat", "./x"},
       "seguectl: ./x: not a source for this command; write journal:DIR, kafka://BROKERS/TOPIC, "
       "archive:DIR or archive:s3://BUCKET/PREFIX"},
      {{"verify", archive, "--source", "./x"},
       "seguectl: ./x: not a source for this command" + recorded},
      {{"verify", archive, "--source", archive},
       "seguectl: " + archive + ": not a source for this command" + recorded},
      {{"archive", archive, "--to", archive},
       "seguectl: " + archive + ": not a source for this command" + recorded},
      {{"restore", "journal:x"}, "seguectl: journal:x: not a topic for this command" + topic},
      {{"restore", "kafka://a:1/t", "--from", "journal:x"},
       "seguectl: journal:x: not an archive for this command; write archive:DIR or "
       "archive:s3://BUCKET/PREFIX"},
      {{"restore"},
       "seguectl: no topic: give one (kafka://host:port,host:port/TOPIC), or a configuration with "
       "-c (segue.yaml is not there)"},
      {{"restore", "kafka://a:1/t"},
       "seguectl: no archive: give one (archive:DIR or archive:s3://BUCKET/PREFIX), or a "
       "configuration with -c (segue.yaml is not there)"},
  });
}

TEST_CASE("a certificate or password that cannot be read is told with what names it") {
  const TempDir folder;
  const std::string missing = (folder / "nix").string();
  const std::string why = ": cannot read " + missing + ": No such file or directory";
  const auto with = [&](const std::string& name, const std::string& security) {
    return folder
        .write(name, "version: 1\nlisteners: { public: { address: \"127.0.0.1:1\" } }\n"
                     "backends: { legacy: { endpoints: [\"127.0.0.1:2\"] } }\n"
                     "routes: { all: { match: { prefix: / }, to: legacy, record: none } }\n"
                     "recorder: { kafka: { brokers: [\"127.0.0.1:1\"], " + security + " } }\n")
        .string();
  };
  check_seguectl({
      {{"connect", "status", "https://127.0.0.1:1", "--ca", missing}, "seguectl: --ca" + why},
      {{"connect", "status", "https://127.0.0.1:1", "--ca", folder.path().string()},
       "seguectl: --ca: cannot read " + folder.path().string() + ": Is a directory"},
      {{"connect", "status", "https://127.0.0.1:1", "--user", "u", "--password-file", missing},
       "seguectl: --password-file" + why},
      {{"topics", "describe", "-c", with("ca.yaml", "tls: { ca: nix }")},
       "seguectl: recorder.kafka.tls.ca" + why},
      {{"topics", "describe", "-c",
        with("sasl.yaml", "sasl: { mechanism: PLAIN, username: u, password: { file: nix } }")},
       "seguectl: recorder.kafka.sasl.password" + why},
  });
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
