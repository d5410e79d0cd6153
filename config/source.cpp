#include "config/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/codes.hpp"

namespace segue::config {

Source::Source(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)), starts_{0} {
  for (std::size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') starts_.push_back(i + 1);
}

std::string_view Source::line(std::size_t number) const noexcept {
  if (number == 0 || number > starts_.size()) return {};
  const std::size_t start = starts_[number - 1];
  const std::size_t end = number < starts_.size() ? starts_[number] - 1 : text_.size();
  std::string_view line = std::string_view(text_).substr(start, end - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::uint32_t count_characters(std::string_view utf8) noexcept {
  return static_cast<std::uint32_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void Report::add(std::string_view code, const Position& at, std::string message, std::string hint) {
  const auto same = [&](const Entry& entry) {
    return entry.at == at && entry.diagnostic.code == code &&
           (at.line != 0 || entry.diagnostic.message == message);
  };
  if (std::any_of(diagnostics_.begin(), diagnostics_.end(), same)) return;
  if (diagnostics_.size() == kMaxDiagnostics) {
    ++omitted_;
    return;
  }
  Diagnostic diagnostic{.code = std::string(code),
                        .file = at.file < sources_.size() ? sources_[at.file].path() : "",
                        .line = at.line,
                        .column = at.column,
                        .length = std::max<unsigned>(at.length, 1),
                        .message = std::move(message),
                        .hint = std::move(hint),
                        .source_line = {}};
  if (at.file < sources_.size()) diagnostic.source_line = sources_[at.file].line(at.line);
  diagnostics_.push_back({at, std::move(diagnostic)});
}

bool Report::blames(const Position& at) const noexcept {
  return std::any_of(diagnostics_.begin(), diagnostics_.end(),
                     [&](const Entry& entry) { return entry.at == at; });
}

std::vector<Diagnostic> Report::take() {
  std::sort(diagnostics_.begin(), diagnostics_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.at, a.diagnostic.code, a.diagnostic.message) <
           std::tie(b.at, b.diagnostic.code, b.diagnostic.message);
  });
  std::vector<Diagnostic> result;
  result.reserve(diagnostics_.size() + 1);
  for (Entry& entry : diagnostics_) result.push_back(std::move(entry.diagnostic));
  if (omitted_ > 0) {
    result.push_back({.code = std::string(codes::kTooLarge),
                      .file = sources_.empty() ? "" : sources_.front().path(),
                      .line = 0,
                      .column = 0,
                      .length = 1,
                      .message = fmt::format("{} more errors are not shown", omitted_),
                      .hint = {},
                      .source_line = {}});
  }
  diagnostics_.clear();
  omitted_ = 0;
  return result;
}

}  // namespace segue::config
