#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace segue::config {

// A place in one of the files of a load: which file, and where. `line` 0: the whole file.
struct Position {
  std::uint32_t file = 0;    // index into Sources
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in characters
  std::uint32_t length = 1;  // in characters

  auto operator<=>(const Position&) const = default;
};

// The text of one file, addressable by line.
class Source {
 public:
  Source(std::string path, std::string text);

  const std::string& path() const noexcept { return path_; }
  std::string_view text() const noexcept { return text_; }
  // Without the line break; empty when there is no such line. Lines count from 1.
  std::string_view line(std::size_t number) const noexcept;

 private:
  std::string path_;
  std::string text_;
  std::vector<std::size_t> starts_;  // byte offset of each line
};

using Sources = std::vector<Source>;

// The number of code points of well-formed UTF-8.
std::uint32_t count_characters(std::string_view utf8) noexcept;

// Collects everything that is wrong, in one run. One load, one thread. A place is blamed once
// for one code, so that a default read again for each route is reported once.
class Report {
 public:
  static constexpr std::size_t kMaxDiagnostics = 500;  // further ones are only counted

  explicit Report(const Sources& sources) : sources_(sources) {}

  void add(std::string_view code, const Position& at, std::string message, std::string hint = {});
  bool blames(const Position& at) const noexcept;
  std::size_t count() const noexcept { return diagnostics_.size() + omitted_; }
  // In order of file, line and column.
  std::vector<Diagnostic> take();

 private:
  struct Entry {
    Position at;
    Diagnostic diagnostic;
  };
  const Sources& sources_;
  std::vector<Entry> diagnostics_;
  std::size_t omitted_ = 0;
};

}  // namespace segue::config
