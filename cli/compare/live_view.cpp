#include "cli/compare/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "cli/compare/wording.hpp"
#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"

namespace segue::cli {
namespace {

using compare::Comparing;
using compare::Difference;
using compare::RouteTally;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetween{10};  // lines that say how it stands
constexpr std::size_t kMostNamed = 5;         // fields in a line of text

// Each field and kind once, in the order they were met.
std::vector<const Difference*> distinct(const std::vector<Difference>& differences) {
  std::vector<const Difference*> fields;
  for (const Difference& one : differences) {
    const bool known = std::ranges::any_of(fields, [&one](const Difference* other) {
      return other->part == one.part && other->kind == one.kind && other->field == one.field;
    });
    if (!known) fields.push_back(&one);
  }
  return fields;
}

}  // namespace

std::string live_text(const Comparing::Compared& compared, const Paint& paint) {
  const auto fields = distinct(compared.comparison.differences);
  std::string named;
  for (std::size_t i = 0; i < std::min(fields.size(), kMostNamed); ++i)
    named += fmt::format("{}{} ({})", i == 0 ? "" : ", ",
                         printable(field_title(fields[i]->part, fields[i]->field)),
                         kind_text(fields[i]->kind));
  if (fields.size() > kMostNamed)
    named += fmt::format(", {}", number_of(fields.size() - kMostNamed, "more field"));
  return fmt::format("{}  {}  {}  {}\n", paint.strong(printable(compared.route)),
                     id_text(compared.pair.primary->id()),
                     paint.faint(id_text(compared.pair.other.id())), named);
}

std::string live_json(const Comparing::Compared& compared) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.key("pair");
  json.begin_object();
  json.member("route", compared.route);
  json.member("primary", id_text(compared.pair.primary->id()));
  json.member("shadow", id_text(compared.pair.other.id()));
  json.key("fields");
  json.begin_array();
  for (const Difference* field : distinct(compared.comparison.differences)) {
    json.begin_object();
    json.member("part", compare::name_of(field->part));
    json.octets("field", field->field);
    json.member("kind", compare::name_of(field->kind));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_object();
  return text + '\n';
}

void LiveView::tell(const Comparing::Compared& compared) {
  if (compared.pair.other.kind() != v1::KIND_SHADOW ||
      compared.standing != RouteTally::Standing::different)
    return;
  if (form_ == ReportForm::text) return write_out(live_text(compared, paint_));
  if (form_ == ReportForm::json) return write_out(live_json(compared));
  fmt::print(stderr, "{}", live_text(compared, Paint(Colour::never, stderr)));
}

void LiveView::pause(const Comparing& comparing) {
  flush_out();
  if (comparing.pairs() != pairs_told_ && steady_clock::now() >= told_at_ + kBetween)
    stand(comparing);
}

void LiveView::stand(const Comparing& comparing) {
  pairs_told_ = comparing.pairs();
  told_at_ = steady_clock::now();
  std::string findings;
  for (const auto& [route, count] : comparing.findings())
    if (count != 0)
      findings += fmt::format("; {}: {}", printable(route), number_of(count, "finding"));
  fmt::print(stderr, "{} compared so far{}\n", number_of(pairs_told_, "pair"),
             findings.empty() ? std::string("; no findings") : findings);
}

}  // namespace segue::cli
