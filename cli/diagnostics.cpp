#include "cli/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/source.hpp"

namespace segue::cli {
namespace {

using config::Diagnostic;

constexpr std::size_t kMaxShown = 160;  // characters of a source line

// The byte where the character `index` (from 0) of UTF-8 text starts.
std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t byte = 0;
  while (byte < text.size() && index > 0) {
    do ++byte;
    while (byte < text.size() && (static_cast<unsigned char>(text[byte]) & 0xc0) == 0x80);
    --index;
  }
  return byte;
}

struct Excerpt {
  std::string text;
  std::string indent;  // as wide as what stands before the blamed token; tabs stay tabs
  std::size_t length;  // of the caret line, characters
};

// The source line, or the part of a long one that holds the blamed token.
Excerpt excerpt_of(const Diagnostic& diagnostic) {
  const std::string_view line = diagnostic.source_line;
  const std::size_t before = diagnostic.column == 0 ? 0 : diagnostic.column - 1;
  const std::size_t skip = before > kMaxShown / 2 ? before - kMaxShown / 4 : 0;
  const std::size_t start = byte_of(line, skip);
  const std::string_view shown = line.substr(start, byte_of(line.substr(start), kMaxShown));
  const std::string_view left = shown.substr(0, byte_of(shown, before - skip));
  Excerpt excerpt{.text = printable(shown), .indent = {}, .length = diagnostic.length};
  for (std::size_t i = 0; i < left.size(); i = i + byte_of(left.substr(i), 1))
    excerpt.indent += left[i] == '\t' ? '\t' : ' ';
  const std::size_t room = config::count_characters(shown.substr(left.size()));
  excerpt.length = std::clamp<std::size_t>(excerpt.length, 1, std::max<std::size_t>(room, 1));
  return excerpt;
}

std::string place_of(const Diagnostic& diagnostic) {
  if (diagnostic.line == 0) return diagnostic.file;
  return fmt::format("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column);
}

// A hint of several lines keeps its margin.
std::string with_margin(std::string_view hint, std::string_view margin) {
  std::string result;
  for (char c : printable(hint)) {
    result += c;
    if (c == '\n') result += margin;
  }
  return result;
}

std::string escape_github(std::string_view text, std::string_view also) {
  std::string result;
  for (char c : text) {
    if (c == '%' || c == '\r' || c == '\n' || also.find(c) != std::string_view::npos)
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  return result;
}

std::string as_text(const Diagnostic& diagnostic, const Paint& paint) {
  std::string text = fmt::format("{}: {}: {}\n", paint.strong(printable(place_of(diagnostic))),
                                 paint.error(fmt::format("error[{}]", diagnostic.code)),
                                 printable(diagnostic.message));
  if (diagnostic.line == 0) {
    if (!diagnostic.hint.empty()) text += fmt::format("  {}\n", with_margin(diagnostic.hint, "  "));
    return text;
  }
  const std::string number = fmt::format("{:>3}", diagnostic.line);
  const std::string margin = fmt::format("{:>{}} | ", "", number.size());
  const Excerpt excerpt = excerpt_of(diagnostic);
  text += fmt::format("{} | {}\n", number, excerpt.text);
  text += margin + excerpt.indent + paint.error(std::string(excerpt.length, '^'));
  if (diagnostic.hint.find('\n') != std::string::npos)
    text += "\n" + margin;
  else if (!diagnostic.hint.empty())
    text += " ";
  return text + with_margin(diagnostic.hint, margin) + "\n";
}

std::string as_text(std::span<const Diagnostic> diagnostics, const Paint& paint) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += as_text(diagnostic, paint);
  }
  return text;
}

std::string as_github(const Diagnostic& diagnostic) {
  std::string where = fmt::format("file={}", escape_github(diagnostic.file, ":,"));
  if (diagnostic.line != 0)
    where += fmt::format(",line={},col={},endColumn={}", diagnostic.line, diagnostic.column,
                         diagnostic.column + diagnostic.length);
  std::string message = diagnostic.message;
  if (!diagnostic.hint.empty()) message += fmt::format("; {}", diagnostic.hint);
  return fmt::format("::error {},title={}::{}\n", where, diagnostic.code,
                     escape_github(printable(message), ""));
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace segue::cli
