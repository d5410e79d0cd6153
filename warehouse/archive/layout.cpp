#include "warehouse/archive/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace segue::warehouse {
namespace {

constexpr std::string_view kDay = "dt=";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '@';
}

// A name may hold anything, also `.`, `..` and slashes.
std::string encoded(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = is_plain(c) && !(text.empty() && c == '.');
    if (plain)
      text += c;
    else
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

// The name behind encoded(); what is no code stays as it is.
std::string decoded(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned octet = 0;
    const std::string_view code = name.substr(i + 1, 2);
    const bool coded =
        name[i] == '%' && code.size() == 2 &&
        std::from_chars(code.data(), code.data() + 2, octet, 16).ptr == code.data() + 2;
    text += coded ? static_cast<char>(octet) : name[i];
    if (coded) i += 2;
  }
  return text;
}

std::string day_folder(std::string_view base, Day day) {
  return fmt::format("{}{}{}/", base, kDay, text_of(day));
}

std::string day_record(std::string_view base, Day day) {
  return fmt::format("{}{}{}.json", base, kDay, text_of(day));
}

}  // namespace

std::string text_of(Day day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::optional<Day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<unsigned> {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto year = number(text.substr(0, 4));
  const auto month = number(text.substr(5, 2));
  const auto day = number(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return Day(date);
}

Day day_of(std::int64_t unix_micros) {
  const std::chrono::sys_time<std::chrono::microseconds> moment{
      std::chrono::microseconds(unix_micros)};
  return std::chrono::floor<std::chrono::days>(moment);
}

std::string chains_folder() { return "_commits/"; }

std::string chain_folder(const Chain& chain) {
  return fmt::format("{}{}/{}/", chains_folder(), encoded(chain.topic), encoded(chain.partition));
}

std::optional<std::string> parse_folder_name(std::string_view folder) {
  std::string name = decoded(folder);
  if (name.empty() || encoded(name) != folder) return std::nullopt;
  return name;
}

std::string claim_key(const Chain& chain, std::uint64_t start) {
  return fmt::format("{}{:020}.json", chain_folder(chain), start);
}

std::string done_key(const Chain& chain, std::uint64_t start) {
  return claim_key(chain, start) + ".done";
}

std::optional<std::uint64_t> start_of_claim_key(std::string_view key) {
  key.remove_prefix(key.rfind('/') + 1);
  if (key.ends_with(".done")) key.remove_suffix(5);
  if (key.size() != 25 || !key.ends_with(".json")) return std::nullopt;
  key.remove_suffix(5);
  std::uint64_t start = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), start);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return start;
}

std::string genesis_key(const Chain& chain) { return chain_folder(chain) + "genesis.json"; }
std::string checkpoint_key(const Chain& chain) { return chain_folder(chain) + "checkpoint.json"; }

std::string raw_folder() { return "raw/"; }
std::string raw_folder(Day day) { return day_folder(raw_folder(), day); }

std::string raw_key(Day day, const Chain& chain, std::uint64_t start, std::uint64_t end) {
  return fmt::format("{}{}~{}~{:020}~{}.parquet", raw_folder(day), encoded(chain.topic),
                     encoded(chain.partition), start, end);
}

std::size_t longest_raw_name(const Chain& chain) {
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  return raw_key(Day{}, chain, kLast, kLast).size() - raw_folder(Day{}).size();
}

std::optional<RawFile> parse_raw_key(std::string_view key) {
  constexpr std::string_view kEnding = ".parquet";
  if (!key.starts_with(raw_folder()) || !key.ends_with(kEnding)) return std::nullopt;
  key.remove_suffix(kEnding.size());
  key.remove_prefix(key.rfind('/') + 1);
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end = std::min(key.find('~'), key.size());
    parts[i] = key.substr(0, end);
    key.remove_prefix(end);
    if (key.empty() != (i + 1 == parts.size())) return std::nullopt;
    if (!key.empty()) key.remove_prefix(1);
  }
  RawFile file{{decoded(parts[0]), decoded(parts[1])}, 0, 0};
  const auto read = [](std::string_view digits, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (!read(parts[2], file.start) || !read(parts[3], file.end)) return std::nullopt;
  return file;
}

std::string compact_folder() { return "compact/"; }
std::string compact_folder(Day day) { return day_folder(compact_folder(), day); }

std::string compact_key(Day day, unsigned number, std::string_view inputs_hash) {
  return fmt::format("{}{:05}~{}.parquet", compact_folder(day), number, inputs_hash);
}

std::string comparisons_folder() { return "comparisons/"; }

std::optional<Day> day_of_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  key.remove_prefix(slash + 1);
  if (!key.starts_with(kDay)) return std::nullopt;
  return parse_day(key.substr(kDay.size(), 10));
}

std::string archive_key() { return "_archive.json"; }
std::string watermark_key() { return "_watermark.json"; }
std::string watermark_table_key() { return "watermark/before.json"; }
std::string closing_folder() { return "_closing/"; }
std::string closing_key(Day day) { return day_record(closing_folder(), day); }
std::string compaction_key(Day day) { return day_record("_compactions/", day); }

}  // namespace segue::warehouse
