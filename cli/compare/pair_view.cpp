#include "cli/compare/pair_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/compare/wording.hpp"
#include "cli/exchange_reader.hpp"
#include "cli/exchange_text.hpp"
#include "cli/json_writer.hpp"
#include "cli/listing.hpp"
#include "cli/progress.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

using compare::Comparison;
using compare::Difference;
using compare::Verdict;

constexpr std::size_t kListedCandidates = 10;

// "shadow", "control".
std::string_view kind_of(const v1::Exchange& exchange) {
  switch (exchange.kind()) {
    case v1::KIND_SHADOW:
      return "shadow";
    case v1::KIND_CONTROL:
      return "control";
    default:
      return "primary";
  }
}

std::string response_text(const v1::Exchange& exchange) {
  const auto& response = exchange.response();
  if (response.status() == 0) return std::string(outcome_name(exchange.outcome()));
  return fmt::format("{}  {} bytes {}", response.status(), response.body().size(),
                     printable(response.body().content_type()));
}

std::string exchange_line(const v1::Exchange& exchange) {
  return fmt::format("{:<8} {}  {:<10} {:>9}  {}\n", kind_of(exchange), id_text(exchange.id()),
                     printable(exchange.decision().backend()), latency_text(exchange),
                     response_text(exchange));
}

std::string difference_text(const Difference& difference, std::string_view other,
                            const Paint& paint) {
  const std::string left = printable(difference.left);
  const std::string right = printable(difference.right);
  const Contrast parts = contrast(left, right);
  return fmt::format("  {}: {}\n    primary  {}{}{}\n    {:<8} {}{}{}\n",
                     paint.strong(printable(field_title(difference.part, difference.path))),
                     kind_text(difference.kind), parts.before, paint.error(parts.left), parts.after,
                     other, parts.before, paint.good(parts.right), parts.after);
}

std::string verdict_text(const Comparison& comparison) {
  std::string text(compare::name_of(comparison.verdict));
  if (!comparison.reason.empty()) text += fmt::format(" ({})", comparison.reason);
  if (!comparison.differences.empty())
    text += fmt::format(", {}", number_of(comparison.differences.size(), "difference"));
  return text;
}

void write_exchange(JsonWriter& json, const v1::Exchange& exchange) {
  json.member("id", id_text(exchange.id()));
  json.member("backend", exchange.decision().backend());
  json.member("outcome", outcome_name(exchange.outcome()));
  json.member("status", std::uint64_t{exchange.response().status()});
}

void write_comparison(JsonWriter& json, const Comparison& comparison) {
  json.member("verdict", compare::name_of(comparison.verdict));
  json.member("reason", comparison.reason);
  json.key("differences");
  json.begin_array();
  for (const Difference& one : comparison.differences) {
    json.begin_object();
    json.member("part", compare::name_of(one.part));
    json.octets("path", one.path);
    json.octets("field", one.field);
    json.member("kind", compare::name_of(one.kind));
    json.octets("left", one.left);
    json.octets("right", one.right);
    json.end_object();
  }
  json.end_array();
  json.key("hidden");
  json.begin_array();
  for (const std::string& field : comparison.hidden) json.text(field);
  json.end_array();
}

}  // namespace

PairSearch::PairSearch(const std::vector<Source>& sources, std::string_view id) {
  const auto prefix = IdPrefix::parse(id);
  if (!prefix)
    throw StartupError(
        fmt::format("--pair {}: not an exchange id, nor 8 hexadecimal digits of one or more", id));
  // An id holds the time it was made; everything is looked at when a clock was set back since.
  look(sources, *prefix, prefix->earliest());
  if (groups_.empty()) look(sources, *prefix, 0);
  // The id of a shadow or control alone: once more, for its primary, which is older.
  if (groups_.size() != 1 || groups_.begin()->second.has_primary) return;
  const auto primary = IdPrefix::parse(hex(groups_.begin()->first));
  if (primary) look(sources, *primary, primary->earliest());
}

void PairSearch::take(const v1::Exchange& exchange, const IdPrefix& prefix) {
  if (exchange.kind() == v1::KIND_PRIMARY) {
    if (!prefix.matches(exchange.id())) return;
    Group& group = groups_[exchange.id()];
    group.primary = exchange;
    group.has_primary = true;
    return;
  }
  const bool other = exchange.kind() == v1::KIND_SHADOW || exchange.kind() == v1::KIND_CONTROL;
  if (!other || (!prefix.matches(exchange.id()) && !prefix.matches(exchange.parent_id()))) return;
  groups_[exchange.parent_id()].others.insert_or_assign(exchange.id(), exchange);
}

void PairSearch::look(const std::vector<Source>& sources, const IdPrefix& prefix,
                      std::int64_t since) {
  for (const Source& source : sources) {
    ExchangeReader reader(source, {since, 0, 0, ReadRange::Until::now});
    Progress progress(fmt::format("searching {}", source.name()));
    while (const v1::Exchange* const exchange = reader.next()) {
      reader.show(progress);
      take(*exchange, prefix);
    }
    progress.wipe();
    reader.tell_damage();
  }
}

std::vector<PairExchanges> PairSearch::found() const {
  std::vector<PairExchanges> pairs;
  for (const auto& [id, group] : groups_) {
    if (!group.has_primary || group.others.empty()) continue;
    PairExchanges& pair = pairs.emplace_back();
    pair.primary = group.primary;
    for (const auto& [other_id, other] : group.others) pair.others.push_back(other);
    std::ranges::sort(pair.others, {}, [](const v1::Exchange& other) {
      return std::pair(other.kind(), other.created_at());
    });
  }
  return pairs;
}

std::string candidates_text(const std::vector<PairExchanges>& pairs) {
  std::string text;
  for (std::size_t i = 0; i < std::min(pairs.size(), kListedCandidates); ++i) {
    const v1::Exchange& primary = pairs[i].primary;
    text +=
        fmt::format("  {}  {} {}\n", id_text(primary.id()), printable(primary.request().method()),
                    printable(primary.request().target()));
  }
  return text;
}

PairView::PairView(const PairExchanges& pair, compare::Comparer& comparer) : pair_(pair) {
  for (const v1::Exchange& other : pair.others)
    comparisons_.push_back(comparer.compare(pair.primary, other));
}

bool PairView::differs() const {
  for (std::size_t i = 0; i < comparisons_.size(); ++i)
    if (pair_.others[i].kind() == v1::KIND_SHADOW && !comparisons_[i].differences.empty())
      return true;
  return false;
}

std::string PairView::text(const Paint& paint) const {
  const v1::Exchange& primary = pair_.primary;
  std::string text = fmt::format(
      "{} {}\nroute {}, {}\n\n{}", paint.strong(printable(primary.request().method())),
      paint.strong(printable(primary.request().target())), printable(primary.decision().route()),
      time_text(primary.created_at()), exchange_line(primary));
  for (const v1::Exchange& other : pair_.others) text += exchange_line(other);
  for (std::size_t i = 0; i < comparisons_.size(); ++i) {
    const Comparison& comparison = comparisons_[i];
    const std::string_view kind = kind_of(pair_.others[i]);
    const std::string verdict = verdict_text(comparison);
    text += fmt::format(
        "\nprimary and {}: {}\n", kind,
        comparison.verdict == Verdict::same ? paint.good(verdict) : paint.error(verdict));
    for (const Difference& difference : comparison.differences)
      text += difference_text(difference, kind, paint);
    for (const std::string& field : comparison.hidden)
      text +=
          paint.faint(fmt::format("  {}: hidden by redaction, not compared", printable(field))) +
          '\n';
  }
  return text;
}

std::string PairView::json() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::uint64_t{1});
  json.member("route", pair_.primary.decision().route());
  json.member("method", pair_.primary.request().method());
  json.octets("target", pair_.primary.request().target());
  json.member("created_at", time_text(pair_.primary.created_at()));
  json.key("primary");
  json.begin_object();
  write_exchange(json, pair_.primary);
  json.end_object();
  json.key("others");
  json.begin_array();
  for (std::size_t i = 0; i < comparisons_.size(); ++i) {
    json.begin_object();
    json.member("kind", kind_of(pair_.others[i]));
    write_exchange(json, pair_.others[i]);
    write_comparison(json, comparisons_[i]);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace segue::cli
