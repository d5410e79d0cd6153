#include "cli/show.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <vector>

#include "cli/curl.hpp"
#include "cli/exchange_json.hpp"
#include "cli/exchange_reader.hpp"
#include "cli/exchange_text.hpp"
#include "cli/har.hpp"
#include "cli/progress.hpp"
#include "cli/word_option.hpp"
#include "exchange/error.hpp"
#include "exchange/id.hpp"

namespace segue::cli {
namespace {

constexpr std::size_t kListedCandidates = 10;

// Exchanges by raw id, so that of one recorded twice (found by recovery) the later one counts.
using Found = std::map<std::string, v1::Exchange>;

Found find(const Source& source, const IdPrefix& prefix, std::int64_t since) {
  Found found;
  Finishes finishes;
  ExchangeReader reader(source, {since, 0, 0, ReadRange::Until::now, {}, prefix.range()});
  Progress progress(fmt::format("searching {}", source.name()));
  while (v1::Exchange* const exchange = reader.next()) {
    reader.show(progress);
    if (exchange->kind() == v1::KIND_FINISH && prefix.matches(exchange->parent_id()))
      finishes.insert_or_assign(exchange->parent_id(), *exchange);
    if (prefix.matches(exchange->id())) found.insert_or_assign(exchange->id(), *exchange);
  }
  progress.wipe();
  reader.tell_damage();
  for (auto& [id, exchange] : found)
    if (const auto finish = finishes.find(id); finish != finishes.end())
      join_finish(exchange, finish->second);
  return found;
}

std::string rendered(const v1::Exchange& exchange, ShowAs as) {
  switch (as) {
    case ShowAs::json:
      return exchange_json(exchange) + '\n';
    case ShowAs::curl:
      return exchange_curl(exchange);
    case ShowAs::har:
      return exchange_har(exchange);
    case ShowAs::text:
      break;
  }
  return exchange_page(exchange);
}

}  // namespace

std::optional<IdPrefix> IdPrefix::parse(std::string_view text) {
  IdPrefix prefix;
  for (char c : text) {
    if (c == '-') continue;
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
    prefix.digits_ += c;
  }
  if (prefix.digits_.size() < kFewest || prefix.digits_.size() > 2 * ExchangeId::kBytes)
    return std::nullopt;
  return prefix;
}

bool IdPrefix::matches(std::string_view raw_id) const { return hex(raw_id).starts_with(digits_); }

std::int64_t IdPrefix::earliest() const {
  constexpr std::size_t kMillisDigits = 12;
  std::string millis = digits_.substr(0, kMillisDigits);
  millis.resize(kMillisDigits, '0');
  std::int64_t value = 0;
  for (const char c : millis) value = value << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
  return value * 1000;
}

IdRange IdPrefix::range() const {
  const auto filled = [this](char digit) {
    std::string text = digits_;
    text.resize(2 * ExchangeId::kBytes, digit);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
    return text;
  };
  return {filled('0'), filled('f')};
}

ShowCommand::ShowCommand(CLI::App& program)
    : command_(program.add_subcommand("show", "One exchange: request, response, timing, decision")) {
  command_->add_option("ID", id_, "Its id, or 8 digits of the start of it and more")->required();
  reading_.add_to(*command_);
  add_word_option<ShowAs>(*command_, "--as", as_,
                          {{"text", ShowAs::text},
                           {"json", ShowAs::json},
                           {"curl", ShowAs::curl},
                           {"har", ShowAs::har}},
                          "How to print it; default: text");
}

bool ShowCommand::chosen() const { return command_->parsed(); }

int ShowCommand::run() {
  const std::optional<IdPrefix> prefix = IdPrefix::parse(id_);
  if (!prefix)
    throw StartupError(
        fmt::format("{}: not an exchange id, nor 8 hexadecimal digits of one or more", id_));
  const Source source = reading_.source();
  // An id holds the time it was made, so older segments need no look; all are looked at when a
  // clock was set back since.
  Found found = find(source, *prefix, prefix->earliest());
  if (found.empty()) found = find(source, *prefix, 0);
  if (found.empty()) {
    fmt::print(stderr, "seguectl: no exchange {} in {}\n", id_, source.name());
    return 1;
  }
  if (found.size() > 1) {
    fmt::print(stderr, "seguectl: {} exchanges begin with {}:\n", found.size(), id_);
    std::size_t listed = 0;
    for (const auto& [id, exchange] : found)
      if (listed++ < kListedCandidates)
        fmt::print(stderr, "  {}  {} {}\n", id_text(id), printable(exchange.request().method()),
                   printable(exchange.request().target()));
    return 2;
  }
  reading_.unseal(found.begin()->second);
  fmt::print("{}", rendered(found.begin()->second, as_));
  reading_.tell_closed();
  return 0;
}

}  // namespace segue::cli
