#include "tests/gateway/conformance_corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace segue::gateway::http1 {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Files below a folder whose name ends so, in the order of their names.
std::vector<fs::path> files_below(const fs::path& folder, std::string_view ending) {
  if (!fs::is_directory(folder)) {
    throw std::runtime_error(folder.string() + " is not there: see docs/testing.md, Corpora");
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ending) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The number that a run of digits at `at` says, of `longest` digits at most; `at` ends after it.
char read_number(std::string_view text, std::size_t& at, int base, std::size_t longest) {
  unsigned value = 0;
  const auto digits = text.substr(at, longest);
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  at += static_cast<std::size_t>(end.ptr - digits.data());
  return static_cast<char>(value);
}

// \r, \n, \t, \f, \xHH and octal numbers; another backslash stands for itself.
std::string undo_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    const char next = c == '\\' && at < text.size() ? text[at] : '\0';
    const auto letter = std::string_view("rntf").find(next);
    if (next != '\0' && letter != std::string_view::npos) {
      out += std::string_view("\r\n\t\f")[letter];
      ++at;
    } else if (next == 'x' && at + 1 < text.size() && is_hex(text[at + 1])) {
      out += read_number(text, ++at, 16, 2);
    } else if (is_octal(next)) {
      out += read_number(text, at, 8, 3);
    } else {
      out += c;
    }
  }
  return out;
}

// One test of a markdown file.
struct Section {
  std::string title, meta, language, input, log;
};

// The text of a fenced block, whose first line was read.
std::string read_block(std::istream& in) {
  std::string text;
  for (std::string line; std::getline(in, line) && !line.starts_with("```");) text += line + '\n';
  return text;
}

std::vector<Section> read_sections(const fs::path& path) {
  std::vector<Section> sections;
  Section next;
  std::istringstream in(read_file(path));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) {
      next.title = line.substr(line.find_first_not_of("# "));
      std::erase(next.title, '`');
    } else if (line.starts_with("<!-- meta=")) {
      next.meta = line;
      std::erase(next.meta, ' ');
    } else if (line == "```http" || line == "```url") {
      next.language = line.substr(3);
      next.input = read_block(in);
    } else if (line == "```log") {
      next.log = read_block(in);
      sections.push_back(std::exchange(next, {}));
      next.title = sections.back().title;
    }
  }
  return sections;
}

// Why a test says nothing about bytes alone; empty when it does.
std::string why_left_out(const Section& section) {
  if (section.meta.find("-lenient-") != std::string::npos) return "a lenient mode";
  if (section.meta.find("\"skipBody\":true") != std::string::npos) return "told of no body";
  return {};
}

// The number after `key` in a line, or nullopt when it is not there.
std::optional<std::size_t> number_after(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t number = 0;
  std::from_chars(line.data() + at + key.size(), line.data() + line.size(), number);
  return number;
}

void judge(const Section& section, CorpusCase& found) {
  constexpr std::size_t kDataAfterClose = 5, kUpgrade = 22, kHttp2Preface = 23;
  TheirReading reading;
  std::istringstream in(section.log);
  for (std::string line; std::getline(in, line);) {
    if (const auto error = number_after(line, "error code=")) {
      const bool end_of_http =
          *error == kDataAfterClose || *error == kUpgrade || *error == kHttp2Preface;
      if (!end_of_http) found.verdict = Verdict::rejected;
    }
    if (line.find("span[body]") != std::string::npos) {
      reading.content += number_after(line, "len=").value_or(0);
    }
    if (line.ends_with("message complete")) ++reading.messages;
  }
  if (section.language == "http") found.reading = reading;
}

// The bytes of a block, by the rules of llhttp's own reader.
std::string wire_bytes(const Section& section) {
  std::string text = section.input;
  if (text.ends_with('\n')) text.pop_back();
  replace_all(text, "\\\n", "");
  replace_all(text, "\n", "\r\n");
  text = undo_escapes(text);
  if (section.language == "url") return "GET " + text + " HTTP/1.1\r\nHost: a\r\n\r\n";
  return text;
}

}  // namespace

fs::path conformance_folder() {
  const char* const named = std::getenv("SEGUE_CONFORMANCE");
  const auto folder = named != nullptr
                          ? fs::path(named)
                          : fs::path(SEGUE_SOURCE_DIR).parent_path() / "shared" / "conformance";
  if (fs::is_directory(folder)) return folder;
  throw std::runtime_error(folder.string() +
                           " is not there: name the folder of the corpora in SEGUE_CONFORMANCE "
                           "(docs/testing.md, Corpora)");
}

Corpus read_gunicorn(const fs::path& folder) {
  Corpus corpus;
  for (const auto& path : files_below(folder / "tests" / "requests", ".http")) {
    CorpusCase found;
    const auto kind = path.parent_path().filename().string();
    found.name = fmt::format("gunicorn/{}/{}", kind, path.filename().string());
    found.verdict = kind == "valid" ? Verdict::accepted : Verdict::rejected;
    auto text = read_file(path);
    std::erase(text, '\n');  // line ends are those that are written out
    found.raw = undo_escapes(text);
    corpus.cases.push_back(std::move(found));
  }
  return corpus;
}

Corpus read_llhttp(const fs::path& folder) {
  Corpus corpus;
  const auto root = folder / "test";
  std::map<std::string, int> named;
  for (const auto& path : files_below(root, ".md")) {
    for (const auto& section : read_sections(path)) {
      if (const auto why = why_left_out(section); !why.empty()) {
        ++corpus.left_out[why];
        continue;
      }
      CorpusCase found;
      found.name = fmt::format("llhttp/{}: {}", fs::relative(path, root).string(), section.title);
      if (const int count = ++named[found.name]; count > 1) {
        found.name += fmt::format(" ({})", count);
      }
      const bool response = section.meta.find("\"type\":\"response") != std::string::npos;
      found.kind = response ? MessageKind::response : MessageKind::request;
      found.raw = wire_bytes(section);
      judge(section, found);
      corpus.cases.push_back(std::move(found));
    }
  }
  return corpus;
}

}  // namespace segue::gateway::http1
