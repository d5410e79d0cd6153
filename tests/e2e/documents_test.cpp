// What the documents show has to work as it stands there: every command line is one that the
// programs take, every piece of YAML is a part of a valid configuration.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

struct Page {
  std::string name;
  std::string text;
};

std::vector<Page> pages() {
  const fs::path source = SEGUE_SOURCE_DIR;
  std::vector<fs::path> paths{source / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(source / "docs"))
    if (entry.path().extension() == ".md") paths.push_back(entry.path());
  std::vector<Page> all;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    all.push_back({path.lexically_relative(source).string(),
                   std::string(std::istreambuf_iterator<char>(file), {})});
  }
  return all;
}

struct Block {
  std::string language;  // of ```yaml; empty: commands, or what they print
  std::string text;
};

std::vector<Block> blocks(const Page& page) {
  std::vector<Block> all;
  std::istringstream lines(page.text);
  bool within = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      within = !within;
      if (within) all.push_back({line.substr(3), {}});
    } else if (within) {
      all.back().text += line + "\n";
    }
  }
  return all;
}

// What of a line is run: without a prompt, remarks behind it, and what is quoted.
std::vector<std::string> commands_of(std::string line) {
  static const std::regex quoted("'[^']*'|\"[^\"]*\"");
  static const std::regex between("&&| #.*| >.*|   .*");
  line = std::regex_replace(line, quoted, "X");
  std::vector<std::string> commands;
  for (std::sregex_token_iterator part(line.begin(), line.end(), between, -1), end; part != end;
       ++part) {
    static const std::regex program("^[$ ]*((?:segue|seguectl) .*)$");
    const std::string text = *part;
    if (std::smatch found; std::regex_match(text, found, program)) commands.push_back(found[1]);
  }
  return commands;
}

std::vector<std::string> commands_of(const Page& page) {
  std::vector<std::string> commands;
  const auto add = [&](const std::string& line) {
    std::ranges::move(commands_of(line), std::back_inserter(commands));
  };
  for (const Block& block : blocks(page)) {
    if (!block.language.empty()) continue;
    std::istringstream lines(std::regex_replace(block.text, std::regex("\\\\\n"), " "));
    for (std::string line; std::getline(lines, line);) add(line);
  }
  static const std::regex span("`((?:segue|seguectl) [^`\n]+)`");
  for (std::sregex_iterator found(page.text.begin(), page.text.end(), span), end; found != end;
       ++found)
    add(std::regex_replace((*found)[1].str(), std::regex(R"(\\\|)"), "|"));
  return commands;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// What the programs say of themselves. Each is asked once.
class Programs {
 public:
  const std::string& help(const std::string& command) {
    const auto [at, is_new] = help_.try_emplace(command);
    if (!is_new) return at->second;
    std::vector<std::string> words = words_of(command + " --help");
    words.front() = words.front() == "segue" ? segue_path() : seguectl_path();
    const CommandResult result = run_command(words);
    CHECK(result.exit_code == 0);
    return at->second = result.out;
  }

  std::vector<std::string> commands_below(const std::string& command) {
    std::vector<std::string> names;
    std::istringstream lines(help(command));
    bool listed = false;
    for (std::string line; std::getline(lines, line);) {
      if (listed && line.starts_with("  ")) names.push_back(words_of(line).front());
      listed = listed || line == "Subcommands:";
    }
    return names;
  }

  bool has_option(const std::string& command, const std::string& option) {
    return std::regex_search(help(command), std::regex("[ ,]" + option + "(?![a-z-])"));
  }

 private:
  std::map<std::string, std::string> help_;
};

// The parts of "cat|tail|show".
std::vector<std::string> alternatives(const std::string& word) {
  std::istringstream stream(word);
  std::vector<std::string> names;
  for (std::string name; std::getline(stream, name, '|');) names.push_back(name);
  return names;
}

// The commands that the words mean: "seguectl cat|tail --raw" two, "seguectl --account X" any.
// Nothing, where there is no such command.
std::vector<std::string> meant(Programs& programs, const std::vector<std::string>& words) {
  std::vector<std::string> commands{words.front()};
  for (std::size_t i = 1;; ++i) {
    const std::string above = commands.front();
    const std::vector<std::string> known = programs.commands_below(above);
    if (known.empty()) return commands;
    const bool is_any = i == words.size() || words[i].starts_with('-');
    commands.clear();
    for (const std::string& name : is_any ? known : alternatives(words[i])) {
      if (std::ranges::find(known, name) == known.end()) return {};
      commands.push_back(above + " " + name);
    }
    if (is_any) return commands;
  }
}

void check_command(Programs& programs, const std::string& text) {
  INFO(text);
  const std::vector<std::string> words = words_of(text);
  const std::vector<std::string> commands = meant(programs, words);
  CHECK_FALSE(commands.empty());
  static const std::regex option("^\\[?(--[a-z][a-z-]*|-[A-Za-z])(?![A-Za-z]).*");
  for (const std::string& word : words) {
    std::smatch found;
    if (!std::regex_match(word, found, option)) continue;
    INFO(found[1].str());
    CHECK(std::ranges::any_of(commands, [&](const std::string& command) {
      return programs.has_option(command, found[1]);
    }));
  }
}

bool has_key(const std::string& yaml, const std::string& key) {
  return ("\n" + yaml).find("\n" + key + ":") != std::string::npos;
}

// The rest of a configuration around a part of one.
std::string completed(std::string yaml) {
  if (yaml.starts_with("    "))  // of a backend
    yaml = "backends:\n  legacy:\n    endpoints: [\"127.0.0.1:8081\"]\n" + yaml;
  if (!has_key(yaml, "version")) yaml += "version: 1\n";
  if (!has_key(yaml, "listeners"))
    yaml += "listeners: { public: { address: \"127.0.0.1:8080\" } }\n";
  if (!has_key(yaml, "backends"))
    yaml += "backends: { legacy: { endpoints: [\"127.0.0.1:8081\"] },\n"
            "            new: { endpoints: [\"127.0.0.1:8082\"] } }\n";
  if (!has_key(yaml, "defaults")) yaml += "defaults: { record: { redact: {} } }\n";
  static const std::regex first_backend("backends:\n  ([a-z]+):");
  std::smatch found;
  const std::string backend = std::regex_search(yaml, found, first_backend) ? found[1].str() : "legacy";
  if (!has_key(yaml, "routes"))
    yaml += "routes: { all: { match: { prefix: / }, to: " + backend + " } }\n";
  return yaml;
}

TEST_CASE("every command line in the documents is one that the programs take") {
  Programs programs;
  std::size_t checked = 0;
  for (const Page& page : pages()) {
    INFO(page.name);
    for (const std::string& command : commands_of(page)) {
      if (command == "segue redaction encrypt 1") continue;  // a label of a key, no command
      check_command(programs, command);
      ++checked;
    }
  }
  CHECK(checked > 100);
}

TEST_CASE("every piece of YAML in the documents is part of a valid configuration") {
  const TempDir folder;
  std::size_t checked = 0;
  for (const Page& page : pages()) {
    for (const Block& block : blocks(page)) {
      if (block.language != "yaml") continue;
      const fs::path file = folder.write("segue.yaml", completed(block.text));
      const CommandResult result = run_command({segue_path(), "validate", file.string()});
      INFO(page.name << "\n" << result.out << result.err);
      CHECK(result.exit_code == 0);
      ++checked;
    }
  }
  CHECK(checked > 10);
}

}  // namespace
}  // namespace segue::test
