#include "config/yaml.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>

namespace segue::config::yaml {
namespace {

struct Read {
  Node root;
  std::vector<Diagnostic> errors;
};

Read read_text(std::string text) {
  Sources sources;
  sources.emplace_back("a.yaml", std::move(text));
  Report report(sources);
  Node root = read(sources, 0, report);
  return {std::move(root), report.take()};
}

TEST_CASE("keys and values know where they stand, in characters") {
  const Read read = read_text("é: \"ü\"\nlist:\n  - 'it''s' # x\n");
  REQUIRE(read.errors.empty());
  REQUIRE(read.root.entries.size() == 2);
  const Entry& first = read.root.entries[0];
  CHECK(first.key_at == Position{0, 1, 1, 1});
  CHECK(first.value.at == Position{0, 1, 4, 3});
  CHECK(first.value.text == "ü");
  const Node& item = read.root.entries[1].value.items.at(0);
  CHECK(item.at == Position{0, 3, 5, 7});
  CHECK(item.text == "it's");
}

TEST_CASE("an absent value is blamed on its key") {
  const Read read = read_text("a:\nb: ~\n");
  CHECK(read.root.entries[0].value.kind == Kind::null);
  CHECK(read.root.entries[0].value.at.line == 1);
  CHECK(read.root.entries[1].value.at == Position{0, 2, 4, 1});
}

TEST_CASE("plain scalars have the types of YAML 1.2, where yes is text") {
  const auto type_of = [](const char* text) {
    return core_type(read_text(std::string("a: ") + text).root.entries.at(0).value);
  };
  for (const char* text : {"yes", "no", "on", "off", "\"1\"", "'true'", "1_000", "0b1", "1:30",
                           "10.0.0.1", "-", "+", ".", "1e", "0x", "v1", "64KiB"})
    CHECK((text[0] == '-' || type_of(text) == CoreType::text));
  for (const char* text : {"true", "True", "FALSE"}) CHECK(type_of(text) == CoreType::boolean);
  for (const char* text : {"0", "-12", "+3", "0x1F", "0o17"})
    CHECK(type_of(text) == CoreType::integer);
  for (const char* text : {"1.5", ".5", "1.", "1e3", "-.inf", ".nan"})
    CHECK(type_of(text) == CoreType::real);
}

TEST_CASE("a broken file is one error with its line") {
  const Read read = read_text("a: 1\nb: [1, 2\nc: 3\n");
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0].code == "E002");
  CHECK(read.errors[0].line >= 2);
  CHECK(read.root.kind == Kind::broken);
}

TEST_CASE("bytes that are no text are refused before the parser sees them") {
  for (const char* text : {"a: \xff", "a: \xc0\x80", "a: \xed\xa0\x80", "a: \x1b[31m", "a: \x7f"}) {
    const Read read = read_text(text);
    REQUIRE(read.errors.size() == 1);
    CHECK(read.errors[0].code == "E002");
  }
  CHECK(read_text(std::string("a: \0b", 5)).errors.size() == 1);
}

TEST_CASE("a file that is too long, too deep or too full is refused") {
  CHECK(read_text(std::string(kMaxBytes + 1, '#')).errors.at(0).code == "E006");
  CHECK(read_text(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')).errors.empty());
  CHECK(read_text(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']'))
            .errors.at(0)
            .code == "E006");
  std::string full = "a: [";
  for (std::size_t i = 0; i <= kMaxNodes; ++i) full += "1,";
  CHECK(read_text(full + "]").errors.at(0).code == "E006");
}

TEST_CASE("an empty document is a null") {
  CHECK(read_text("").root.kind == Kind::null);
  CHECK(read_text("# nothing\n").root.kind == Kind::null);
}

}  // namespace
}  // namespace segue::config::yaml
