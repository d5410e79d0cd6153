#include "routing/rewrite.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "routing/escapes.hpp"

namespace segue::routing {
namespace {

bool is_wire_text(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_path_byte) && has_whole_escapes(text);
}

Complaint malformed(std::string_view to) {
  return {"E050", fmt::format("'{}' is no path to rewrite to", to),
          "begin with '/', escape what is not ASCII, and leave out '?' and '#'"};
}

Complaint malformed_location(std::string_view to) {
  return {"E050", fmt::format("'{}' is no path to redirect to", to),
          "begin with '/', escape what is not ASCII, and leave out '#'"};
}

// RFC 3986, 3.4.
bool is_wire_query(std::string_view text) noexcept {
  return has_whole_escapes(text) && std::all_of(text.begin(), text.end(), [](char c) {
           return c == '?' || is_path_byte(c);
         });
}

// A raw path segment as a value in a query: what would end it there, or mean a space, is escaped.
void append_query_value(std::string& query, std::string_view raw) {
  static constexpr std::string_view kMarks = "&=+;?";
  for (const char c : raw) {
    if (kMarks.find(c) == std::string_view::npos)
      query.push_back(c);
    else
      query += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
}

// The raw bytes from segment `first` to the end of the path, without the slash in front.
std::string_view raw_rest(std::string_view raw_path, std::size_t first) noexcept {
  std::size_t at = 0;
  for (std::size_t i = 0; i < first && at != std::string_view::npos; ++i)
    at = raw_path.find('/', at + 1);
  return at >= raw_path.size() ? std::string_view{} : raw_path.substr(at + 1);
}

}  // namespace

Checked<RewritePlan> RewritePlan::read(const Rewrite& rewrite, const PathPattern& pattern) {
  RewritePlan plan;
  if (rewrite.form == RewriteForm::none) return plan;
  if (!rewrite.to.starts_with('/')) return malformed(rewrite.to);
  if (rewrite.form == RewriteForm::path) return read_path(rewrite.to, pattern, Query::kept);
  if (pattern.ending == Ending::ends || pattern.rest_least > 0) {
    return Complaint{"E051", "`rewrite.prefix` needs a route that matches a `prefix`",
                     "rewrite: { path: ... } over the parameters of the template"};
  }
  if (!is_wire_text(rewrite.to)) return malformed(rewrite.to);
  plan.form_ = RewriteForm::prefix;
  plan.prefix_ = rewrite.to;
  while (plan.prefix_.ends_with('/')) plan.prefix_.pop_back();
  return plan;
}

Checked<RewritePlan> RewritePlan::read_location(std::string_view to, const PathPattern& pattern) {
  if (to.empty()) return RewritePlan{};
  if (!to.starts_with('/')) return malformed_location(to);
  return read_path(to, pattern, Query::may_be_brought);
}

Checked<RewritePlan> RewritePlan::read_path(std::string_view to, const PathPattern& pattern,
                                            Query query) {
  const auto refuse = query == Query::kept ? malformed : malformed_location;
  RewritePlan plan;
  plan.form_ = RewriteForm::path;
  std::string_view rest = to;
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find('{'));
    rest.remove_prefix(text.size());
    const auto mark = query == Query::kept ? std::string_view::npos : text.find('?');
    const bool sound = mark == std::string_view::npos
                           ? is_wire_text(text)
                           : is_wire_text(text.substr(0, mark)) && is_wire_query(text.substr(mark));
    plan.brings_query_ = plan.brings_query_ || mark != std::string_view::npos;
    if (!sound) return refuse(to);
    Piece piece;
    if (!rest.empty()) {
      const auto end = rest.find('}');
      if (end == std::string_view::npos) return refuse(to);
      auto parameter = read_parameter(rest.substr(1, end - 1), pattern);
      if (!parameter) return parameter.error();
      piece = *std::move(parameter);
      rest.remove_prefix(end + 1);
    }
    piece.text = text;
    piece.in_query = plan.brings_query_;
    plan.pieces_.push_back(std::move(piece));
  }
  return plan;
}

Checked<RewritePlan::Piece> RewritePlan::read_parameter(std::string_view name,
                                                        const PathPattern& pattern) {
  if (name.ends_with("...")) name.remove_suffix(3);
  if (!pattern.has_parameter(name)) {
    return Complaint{"E049", fmt::format("the path has no parameter '{}'", name),
                     fmt::format("name a segment of the path {{{}}}, or leave it out", name)};
  }
  const bool is_rest = pattern.rest_parameter == name;
  Piece piece;
  piece.kind = is_rest ? Piece::Kind::rest : Piece::Kind::one_segment;
  piece.segment = pattern.segments.size();
  for (std::size_t i = 0; i < pattern.segments.size() && !is_rest; ++i) {
    if (pattern.segments[i].parameter == name) piece.segment = i;
  }
  return piece;
}

std::string_view RewritePlan::apply(const PathPattern& pattern, std::string_view raw_path,
                                    std::string_view query_with_mark,
                                    std::string& storage) const {
  storage.clear();
  if (form_ == RewriteForm::prefix) {
    storage = prefix_;
    const auto rest = raw_rest(raw_path, pattern.segments.size());
    const bool goes_on = !rest.empty() || (raw_path.ends_with('/') && raw_path.size() > 1) ||
                         pattern.segments.empty();
    if (goes_on || storage.empty()) storage.push_back('/');
    storage += rest;
  }
  for (const auto& piece : pieces_) {
    storage += piece.text;
    if (piece.kind == Piece::Kind::text_only) continue;
    const auto rest = raw_rest(raw_path, piece.segment);
    const auto value = piece.kind == Piece::Kind::rest ? rest : rest.substr(0, rest.find('/'));
    if (piece.in_query)
      append_query_value(storage, value);
    else
      storage += value;
  }
  if (!brings_query_) storage += query_with_mark;
  return storage;
}

}  // namespace segue::routing
