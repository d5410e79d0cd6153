#include "config/units.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace segue::config {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> kDurations{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 5> kSizes{{{"B", 1},
                                      {"KiB", std::uint64_t{1} << 10},
                                      {"MiB", std::uint64_t{1} << 20},
                                      {"GiB", std::uint64_t{1} << 30},
                                      {"TiB", std::uint64_t{1} << 40}}};
constexpr std::uint64_t kMaxDuration = std::uint64_t{10} * 365 * 24 * 3'600'000;  // ms
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;                        // bytes

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                             std::uint64_t max) noexcept {
  const auto split = text.find_first_not_of("0123456789");
  if (split == std::string_view::npos) return std::nullopt;
  const auto number = parse_count(text.substr(0, split));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& u) { return u.suffix == text.substr(split); });
  if (!number || unit == units.end() || *number > max / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

std::string show_with_unit(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) best = &unit;
  return fmt::format("{}{}", value / best->factor, best->suffix);
}

bool is_host_name(std::string_view text) noexcept {
  constexpr std::size_t kMaxHostName = 253;  // characters (RFC 1035)
  return !text.empty() && text.size() <= kMaxHostName && text.front() != '-' &&
         text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

bool is_address_of(int family, std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(family, terminated.data(), address.data()) == 1;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
  const auto value = parse_with_unit(text, kDurations, kMaxDuration);
  if (!value) return std::nullopt;
  return milliseconds{*value};
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  return parse_with_unit(text, kSizes, kMaxSize);
}

std::optional<std::uint16_t> parse_percent(std::string_view text) noexcept {
  const auto dot = text.find('.');
  const std::string_view decimals = dot == std::string_view::npos ? "" : text.substr(dot + 1);
  const auto whole = parse_count(text.substr(0, dot));
  if (!whole || *whole > 100 || decimals.size() > 2) return std::nullopt;
  std::uint64_t hundredths = *whole * 100;
  if (dot != std::string_view::npos) {
    const auto part = parse_count(decimals);
    if (!part) return std::nullopt;
    hundredths += decimals.size() == 1 ? *part * 10 : *part;
  }
  if (hundredths > 10'000) return std::nullopt;
  return static_cast<std::uint16_t>(hundredths);
}

std::string show_duration(milliseconds value) {
  return show_with_unit(static_cast<std::uint64_t>(value.count()), kDurations);
}

std::string show_size(std::uint64_t bytes) {
  return show_with_unit(bytes, kSizes);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_count(text.substr(colon + 1));
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (!is_address_of(AF_INET6, host)) return std::nullopt;
  } else if (!is_host_name(host)) {
    return std::nullopt;
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_ip_address(std::string_view text) noexcept {
  return is_address_of(AF_INET, text) || is_address_of(AF_INET6, text);
}

bool is_cidr_block(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  if (slash == std::string_view::npos) return is_ip_address(address);
  const auto bits = parse_count(text.substr(slash + 1));
  if (!bits) return false;
  if (is_address_of(AF_INET, address)) return *bits <= 32;
  return is_address_of(AF_INET6, address) && *bits <= 128;
}

}  // namespace segue::config
