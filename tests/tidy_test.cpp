// The style of this project, executed: who may include whom, names that say nothing, the coroutine
// hazard of g++ 12, and whatever else a rule without a check would let slip.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace segue {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = SEGUE_SOURCE_DIR;
constexpr std::size_t kLongestFile = 450;  // lines

// Who may include whom; a folder may always include itself. docs/architecture.md has the same.
const std::map<std::string, std::set<std::string>, std::less<>>& folder_table() {
  static const std::map<std::string, std::set<std::string>, std::less<>> table{
      {"exchange", {}},
      {"runtime", {"exchange"}},
      {"routing", {"exchange"}},
      {"kafka", {"exchange"}},
      {"recorder", {"exchange", "runtime", "kafka"}},
      {"gateway", {"exchange", "runtime", "routing", "recorder"}},
      {"compare", {"exchange", "runtime", "recorder"}},
      {"warehouse", {"exchange", "runtime", "kafka", "recorder"}},
      {"config",
       {"exchange", "runtime", "kafka", "routing", "recorder", "gateway", "compare", "warehouse"}},
      {"cli",
       {"exchange", "runtime", "kafka", "routing", "recorder", "gateway", "compare", "warehouse",
        "config"}},
  };
  return table;
}

struct Source {
  std::string path;  // from the root, with slashes
  std::string text;
  std::string folder() const { return path.substr(0, path.find('/')); }
  bool is_header() const { return path.ends_with(".hpp"); }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Every C++ file of the product, of the tests and of the benchmarks.
const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    std::vector<std::string> folders{"tests", "bench"};
    for (const auto& [folder, allowed] : folder_table()) folders.push_back(folder);
    for (const auto& folder : folders) {
      if (!fs::exists(kRoot / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
        const auto extension = entry.path().extension();
        if (extension != ".hpp" && extension != ".cpp") continue;
        found.push_back(
            {entry.path().lexically_relative(kRoot).generic_string(), read(entry.path())});
      }
    }
    return found;
  }();
  return all;
}

// Where the comment or literal that starts at `at` ends; `at` when none starts there.
std::size_t end_of_blank(std::string_view text, std::size_t at) {
  const auto past = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const auto rest = text.substr(at);
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return past("*/", at + 2);
  if (rest.starts_with("R\"")) {
    const auto open = rest.find('(');
    return past(")" + std::string(rest.substr(2, open - 2)) + "\"", at + open);
  }
  const bool digit_separator = at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]));
  if (text[at] != '"' && (text[at] != '\'' || digit_separator)) return at;
  for (std::size_t end = at + 1; end < text.size(); ++end) {
    if (text[end] == '\\') {
      ++end;
    } else if (text[end] == text[at]) {
      return end + 1;
    }
  }
  return text.size();
}

// The text with comments, strings and characters blanked; offsets and lines stay.
std::string code_of(std::string_view text) {
  std::string code(text);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = end_of_blank(text, at);
    for (std::size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

std::string place(const Source& source, std::size_t offset) {
  const auto end = source.text.begin() + static_cast<std::ptrdiff_t>(offset);
  return source.path + ":" + std::to_string(1 + std::count(source.text.begin(), end, '\n'));
}

using Findings = std::vector<std::string>;

void expect_none(const Findings& findings) {
  for (const auto& finding : findings) UNSCOPED_INFO(finding);
  CHECK(findings.empty());
}

// Every match of `pattern` in the code (not in comments or strings) of the files that `applies`.
Findings matches(const std::regex& pattern, const std::function<bool(const Source&)>& applies,
                 const std::string& what) {
  Findings findings;
  for (const auto& source : sources()) {
    if (!applies(source)) continue;
    const auto code = code_of(source.text);
    for (std::sregex_iterator match(code.begin(), code.end(), pattern), end; match != end;
         ++match) {
      findings.push_back(place(source, static_cast<std::size_t>(match->position())) + ": " + what +
                         ": " + match->str());
    }
  }
  return findings;
}

bool anywhere(const Source&) {
  return true;
}
bool in_product(const Source& source) {
  return folder_table().contains(source.folder());
}

TEST_CASE("a folder includes only those below it") {
  Findings findings;
  const std::regex include("#include \"([^\"]+)\"");
  for (const auto& source : sources()) {
    if (!in_product(source)) continue;
    const auto& allowed = folder_table().at(source.folder());
    for (std::sregex_iterator match(source.text.begin(), source.text.end(), include), end;
         match != end; ++match) {
      const std::string target = (*match)[1];
      const auto folder = target.substr(0, target.find('/'));
      if (folder != source.folder() && !allowed.contains(folder)) {
        findings.push_back(place(source, static_cast<std::size_t>(match->position())) +
                           ": may not include " + target);
      }
    }
  }
  expect_none(findings);
}

TEST_CASE("the gateway sees of the recorder only its front") {
  Findings findings;
  for (const auto& source : sources()) {
    if (source.folder() != "gateway") continue;
    for (const char* inside : {"#include \"recorder/journal/", "#include \"recorder/exchange.pb"}) {
      const auto at = source.text.find(inside);
      if (at != std::string::npos) findings.push_back(place(source, at) + ": " + inside);
    }
  }
  expect_none(findings);
}

TEST_CASE("every header is guarded by #pragma once, and says `using namespace` nowhere") {
  Findings findings;
  for (const auto& source : sources()) {
    if (source.is_header() && !source.text.starts_with("#pragma once\n")) {
      findings.push_back(source.path + ":1: does not start with #pragma once");
    }
  }
  expect_none(findings);
  expect_none(matches(
      std::regex("using namespace [^;]*"), [](const Source& source) { return source.is_header(); },
      "in a header"));
}

TEST_CASE("no name says nothing") {
  Findings findings;
  const std::regex files("(utils?|commons?|helpers?|misc|manager|stuff)");
  for (const auto& source : sources()) {
    for (const auto& part : fs::path(source.path)) {
      if (std::regex_match(part.stem().string(), files)) findings.push_back(source.path);
    }
  }
  expect_none(findings);
  expect_none(matches(
      std::regex(R"(\b(class|struct)\s+\w*(Manager|Helper|Helpers|Processor|Impl|Utils?)\b)"),
      anywhere, "names nothing"));
  expect_none(matches(std::regex(R"(\bnamespace\s+\w*(utils?|common|helpers?|misc)\b)"), anywhere,
                      "names nothing"));
}

TEST_CASE("nothing is put off in a comment") {
  Findings findings;
  const std::regex mark(
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X)\\b");
  for (const auto& source : sources()) {
    std::smatch match;
    if (std::regex_search(source.text, match, mark)) {
      findings.push_back(place(source, static_cast<std::size_t>(match.position())));
    }
  }
  expect_none(findings);
}

TEST_CASE("a file holds one thing and is not too long for it") {
  Findings findings;
  for (const auto& source : sources()) {
    const auto lines =
        static_cast<std::size_t>(std::count(source.text.begin(), source.text.end(), '\n'));
    if (lines > kLongestFile) {
      findings.push_back(source.path + ": " + std::to_string(lines) + " lines");
    }
  }
  expect_none(findings);
}

// Benchmarks measure the alternatives that the product does without.
bool not_a_benchmark(const Source& source) {
  return source.folder() != "bench";
}

TEST_CASE("tasks belong to a group") {
  expect_none(matches(std::regex(R"(\bdetached\b)"), not_a_benchmark, "swallows exceptions"));
  expect_none(matches(
      std::regex(R"(\bco_spawn\s*\()"),
      [](const Source& source) {
        return not_a_benchmark(source) && !source.path.starts_with("runtime/task_group.");
      },
      "only TaskGroup starts tasks"));
}

// The probe answers on a thread of its own, with Beast.
bool on_client_path(const Source& source) {
  return source.folder() == "runtime" ||
         (source.folder() == "gateway" && !source.path.starts_with("gateway/probe."));
}

TEST_CASE("what made prototypes slow stays out of the client path") {
  expect_none(matches(std::regex(R"(\b(any_io_executor|make_strand|strand\s*<|tcp_stream)\b)"),
                      on_client_path, "measured at 1.4 to 4.4 times the cost"));
}

TEST_CASE("tests wait for events, not for time") {
  expect_none(matches(
      // But a peer may be slow where slowness is what a test is about, and asks nothing of the clock.
      std::regex(R"(\b(sleep_until|usleep|nanosleep)\s*\(|\bsleep_for\((?!kSlowPeer))"),
      [](const Source& source) { return source.folder() == "tests"; }, "sleeps in a test"));
}

TEST_CASE("a test's name does not read as an option of the test program") {
  Findings findings;
  const std::regex option("TEST_"
                          "CASE\\(\"-[^\"]*");
  for (const auto& source : sources()) {
    std::smatch match;
    if (std::regex_search(source.text, match, option))
      findings.push_back(place(source, static_cast<std::size_t>(match.position())) + ": " +
                         match.str());
  }
  expect_none(findings);
}

TEST_CASE("nothing is caught without a name in the product") {
  expect_none(matches(
      std::regex(R"(catch\s*\(\s*\.\.\.\s*\))"),
      [](const Source& source) { return in_product(source) && source.folder() != "runtime"; },
      "catches everything"));
}

// g++ 12 destroys some temporaries twice inside a full expression with co_await: a braced aggregate
// with members, a lambda with captures. So such an expression holds neither.
class CoAwaitExpression {
 public:
  // `at` is where `co_await` stands in `code`.
  CoAwaitExpression(std::string_view code, std::size_t at) {
    int depth = 0;
    std::size_t end = at;
    for (; end < code.size(); ++end) {
      const char c = code[end];
      if (c == '(' || c == '{' || c == '[') ++depth;
      if ((c == ')' || c == '}' || c == ']') && --depth < 0) break;
      if (c == ';' && depth == 0) break;
    }
    expression_ = code.substr(at, end - at);
    before_ = enclosing(code, at);
  }

  bool is_hazard() const {
    static const std::regex aggregate(R"(\b[A-Z]\w*(<[^<>;(){}]*>)?\{\s*[^\s}])");
    static const std::regex capture(R"(\[\s*[&=\w][^\[\]]*\]\s*(\([^()]*\))?\s*(mutable|->|\{))");
    static const std::regex open_aggregate(R"([A-Z]\w*(<[^<>;(){}]*>)?$)");
    return std::regex_search(expression_, aggregate) || std::regex_search(expression_, capture) ||
           std::regex_search(before_, open_aggregate);
  }

 private:
  // What stands before the innermost brace that is open at `at`, within the same statement.
  static std::string enclosing(std::string_view code, std::size_t at) {
    int depth = 0;
    for (std::size_t i = at; i-- > 0;) {
      const char c = code[i];
      if (c == ';' && depth == 0) return {};
      if (c == ')' || c == '}') ++depth;
      if (c == '(' && --depth < 0) depth = 0;
      if (c == '{' && --depth < 0) {
        return std::string(code.substr(i > 80 ? i - 80 : 0, std::min<std::size_t>(i, 80)));
      }
    }
    return {};
  }

  std::string expression_;
  std::string before_;
};

Findings coroutine_hazards(const Source& source) {
  Findings findings;
  const auto code = code_of(source.text);
  for (auto at = code.find("co_await"); at != std::string::npos;
       at = code.find("co_await", at + 1)) {
    if (CoAwaitExpression(code, at).is_hazard()) {
      findings.push_back(place(source, at) +
                         ": a braced temporary or a capturing lambda within co_await");
    }
  }
  return findings;
}

TEST_CASE("the coroutine hazard is seen where it is") {
  for (const char* bad :
       {"co_await send(Request{.head = h});", "auto r = co_await run([&x](int y) { return x; });",
        "auto a = Agg{.x = co_await f()};", "co_await f(g(Pair<int>{1, 2}));",
        "co_await run([this] { go(); });", "const auto a = Agg{1, co_await f()};"}) {
    INFO(bad);
    CHECK(coroutine_hazards({"bad.cpp", bad}).size() == 1);
  }
  for (const char* good :
       {"auto result = co_await f(); auto& [ec, n] = result;", "co_await send(request);",
        "Task<void> Session::serve() { co_await f(); }", "co_await f(x[i], y);",
        "if (a) { co_await f(); }", "// co_await send(Request{.head = h});",
        "co_await f([](int x) { return x; });",
        "struct A { int x; }; Task<void> g() { co_await f(); }",
        "const Request request{.head = h}; co_await send(request);"}) {
    INFO(good);
    CHECK(coroutine_hazards({"good.cpp", good}).empty());
  }
}

TEST_CASE("no co_await expression holds what g++ 12 destroys twice") {
  Findings findings;
  for (const auto& source : sources()) {
    if (source.path == "tests/tidy_test.cpp") continue;
    const auto found = coroutine_hazards(source);
    findings.insert(findings.end(), found.begin(), found.end());
  }
  expect_none(findings);
}

TEST_CASE("the README's map shows the folders that are there, and no others") {
  std::set<std::string> mapped;
  std::istringstream readme(read(kRoot / "README.md"));
  const std::regex entry(R"(^([a-z_]+)/\s.*)");
  for (std::string line; std::getline(readme, line);) {
    std::smatch match;
    if (std::regex_match(line, match, entry)) mapped.insert(match[1]);
  }
  std::set<std::string> present;
  for (const auto& item : fs::directory_iterator(kRoot)) {
    const auto name = item.path().filename().string();
    if (!item.is_directory() || name.starts_with('.') || name == "build" || name == "data")
      continue;
    if (!fs::is_empty(item.path())) present.insert(name);
  }
  CHECK(mapped == present);
}

}  // namespace
}  // namespace segue
