#include "cli/filters.hpp"

#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cli/exchange_text.hpp"
#include "exchange/error.hpp"
#include "exchange/head.hpp"
#include "recorder/keyed_hash.hpp"
#include "recorder/redaction/keys.hpp"
#include "runtime/clock.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000;  // in microseconds

// The digits of `text`, all of it.
std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && !text.empty() && text.front() != '-' ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  static constexpr std::string_view kUnits = "smhd";
  static constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
  const std::size_t unit = kUnits.find(text.back());
  const auto count = digits(text.substr(0, text.size() - 1));
  constexpr std::int64_t kLongest = 1'000'000'000;
  if (unit == std::string_view::npos || !count || *count > kLongest) return std::nullopt;
  return *count * kSeconds[unit] * kSecond;
}

// Takes `length` digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t length) {
  if (text.size() < length) return std::nullopt;
  const auto value = digits(text.substr(0, length));
  text.remove_prefix(length);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" and so on, in microseconds; what is finer is cut.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t micros = 0;
  std::int64_t unit = kSecond / 10;
  std::size_t count = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++count) {
    micros += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return count == 0 ? std::nullopt : std::optional(micros);
}

// "Z", "+01:00", "-0530" or nothing; in seconds east of UTC.
std::optional<int> take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return 0;
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_number(text, 2);
  take(text, ':');
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

bool take_clock(std::string_view& text, tm& parts) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_number(text, 2);
  std::optional<int> second = 0;
  if (take(text, ':')) second = take_number(text, 2);
  if (!minute || !second || *hour > 23 || *minute > 59 || *second > 60) return false;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  return true;
}

std::optional<std::int64_t> parse_date_time(std::string_view text) {
  tm parts{};
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  std::int64_t fraction = 0;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    if (!take_clock(text, parts)) return std::nullopt;
    const auto found = take_fraction(text);
    if (!found) return std::nullopt;
    fraction = *found;
  }
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return (static_cast<std::int64_t>(timegm(&parts)) - *zone) * kSecond + fraction;
}

std::string check_status(const std::string& text) {
  return parse_status(text) ? std::string{} : "write a status as 404, 5xx or 500-599, not " + text;
}

std::string check_time(const std::string& text) {
  return parse_time(text, 0)
             ? std::string{}
             : "write a time as 24h (s, m, h, d), 2026-11-21 or 2026-11-21T09:00:00Z, not " + text;
}

bool is_one_of(const std::vector<std::string>& values, std::string_view value) {
  return std::ranges::find(values, value) != values.end();
}

}  // namespace

std::optional<StatusRange> parse_status(std::string_view text) {
  const auto status = [](std::string_view part) -> std::optional<std::uint32_t> {
    const auto value = part.size() == 3 ? digits(part) : std::nullopt;
    return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
  };
  if (text.size() == 3 && (text.ends_with("xx") || text.ends_with("XX")) && text[0] >= '1' &&
      text[0] <= '9') {
    const auto hundred = static_cast<std::uint32_t>(text[0] - '0') * 100;
    return StatusRange{hundred, hundred + 99};
  }
  if (const auto one = status(text)) return StatusRange{*one, *one};
  if (text.size() != 7 || text[3] != '-') return std::nullopt;
  const auto low = status(text.substr(0, 3));
  const auto high = status(text.substr(4));
  if (!low || !high || *low > *high) return std::nullopt;
  return StatusRange{*low, *high};
}

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  return parse_date_time(text);
}

void add_moment_option(CLI::App& command, const char* name, std::optional<std::int64_t>& into,
                     const char* about) {
  command
      .add_option_function<std::string>(
          name,
          [&into](const std::string& text) { into = parse_time(text, runtime::unix_micros_now()); },
          about)
      ->check(CLI::Validator(check_time, "TIME"))
      ->group("Filters");
}

std::vector<std::string> hashed_accounts(const std::vector<std::string>& accounts,
                                         const std::filesystem::path& journal,
                                         const recorder::KeySettings& keys) {
  std::vector<std::string> hashed;
  if (accounts.empty()) return hashed;
  const auto add_hashes = [&](const recorder::AccountKey& key) {
    recorder::KeyedHash hash(key);
    for (const std::string& account : accounts) hashed.emplace_back(hash.text(account));
  };
  std::error_code error;
  if (std::filesystem::exists(journal / recorder::kAccountKeyFile, error))
    add_hashes(recorder::load_account_key(journal));
  if (!keys.account.empty()) add_hashes({recorder::read_key_file("account", keys.account).bytes});
  return hashed;
}

void Filters::add_to(CLI::App& command, Kinds kinds) {
  const std::string group = "Filters";
  // One value each time it is given, or a list would swallow the SOURCE behind it.
  const auto list_option = [&](const char* name, std::vector<std::string>& into,
                               const char* about) {
    return command.add_option(name, into, about)->allow_extra_args(false)->group(group);
  };
  list_option("--route", routes_, "Name of a route; may be given again, as all of these");
  list_option("--status", statuses_, "404, 5xx or 500-599")
      ->check(CLI::Validator(check_status, "STATUS"));
  list_option("--method", methods_, "GET, POST, ...");
  list_option("--account", accounts_, "Account id, plain or as it is hashed on record");
  if (kinds == Kinds::asked_for)
    list_option("--kind", kinds_, "What kind of record")
        ->check(CLI::IsMember({"primary", "shadow", "control", "replay", "probe", "finish"},
                              CLI::ignore_case));
  add_moment_option(command, "--since", since_, "24h, 7d, 2026-11-21 or 2026-11-21T09:00:00Z");
  add_moment_option(command, "--until", until_, "The same; only what came before it");
}

void Filters::prepare(const std::filesystem::path& journal, const recorder::KeySettings& keys) {
  for (const std::string& status : statuses_)
    if (const auto range = parse_status(status)) ranges_.push_back(*range);
  hashed_accounts_ = hashed_accounts(accounts_, journal, keys);
}

bool Filters::wants_finishes() const {
  return std::ranges::any_of(
      kinds_, [](const std::string& kind) { return equals_ignoring_case(kind, "finish"); });
}

bool Filters::takes_route(std::string_view route) const {
  return routes_.empty() || is_one_of(routes_, route);
}

bool Filters::status_matches(const v1::Exchange& exchange) const {
  const std::uint32_t status = exchange.response().status();
  return std::ranges::any_of(ranges_, [status](const StatusRange& range) {
    return status >= range.low && status <= range.high;
  });
}

std::string Filters::condition() const {
  std::vector<std::string> all;
  const auto one_of = [&all](const std::string& column, const std::vector<std::string>& values,
                             const std::vector<std::string>& more = {}) {
    std::vector<std::string> literals;
    for (const auto* list : {&values, &more})
      for (const std::string& value : *list) literals.push_back(warehouse::sql_literal(value));
    if (!literals.empty())
      all.push_back(fmt::format("{} IN ({})", column, fmt::join(literals, ", ")));
  };
  const auto upper = [](std::vector<std::string> values) {
    for (std::string& value : values)
      for (char& c : value)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    return values;
  };
  one_of("route", routes_);
  one_of("upper(method)", upper(methods_));
  one_of("kind", upper(kinds_));
  one_of("account_id", accounts_, hashed_accounts_);
  std::vector<std::string> ranges;
  for (const StatusRange& range : ranges_)
    ranges.push_back(fmt::format("status BETWEEN {} AND {}", range.low, range.high));
  if (!ranges.empty()) all.push_back(fmt::format("({})", fmt::join(ranges, " OR ")));
  if (until_) all.push_back(fmt::format("created_at < make_timestamp({})", *until_));
  if (all.empty()) return {};
  return fmt::format("(kind = 'FINISH' OR ({}))", fmt::join(all, " AND "));
}

bool Filters::matches(const v1::Exchange& exchange) const {
  if (since_ && exchange.created_at() < *since_) return false;
  if (until_ && exchange.created_at() >= *until_) return false;
  if (!takes_route(exchange.decision().route())) return false;
  if (!methods_.empty() && std::ranges::none_of(methods_, [&](const std::string& method) {
        return equals_ignoring_case(method, exchange.request().method());
      }))
    return false;
  if (!accounts_.empty() && !is_one_of(accounts_, exchange.account_id()) &&
      !is_one_of(hashed_accounts_, exchange.account_id()))
    return false;
  if (!kinds_.empty() && std::ranges::none_of(kinds_, [&](const std::string& kind) {
        return equals_ignoring_case(kind, kind_name(exchange.kind()));
      }))
    return false;
  return ranges_.empty() || status_matches(exchange);
}

}  // namespace segue::cli
