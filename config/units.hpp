#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The spellings of numbers with units and of addresses in segue.yaml, both ways.
namespace segue::config {

using std::chrono::milliseconds;

// "250ms", "5s", "10m", "1h": digits and one unit. nullopt: anything else, or over 10 years.
std::optional<milliseconds> parse_duration(std::string_view text) noexcept;
// "240B", "64KiB", "1MiB", "2GiB", "1TiB". nullopt: anything else, or over 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;
// Decimal digits only.
std::optional<std::uint64_t> parse_count(std::string_view text) noexcept;
// "10", "0.5", "12.25" in hundredths of a percent, 0..10000; two decimals at most.
std::optional<std::uint16_t> parse_percent(std::string_view text) noexcept;

// The shortest exact spelling: 75s, 64KiB.
std::string show_duration(milliseconds value);
std::string show_size(std::uint64_t bytes);

struct HostPort {
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 0;
};

// "name:80", "192.0.2.1:80", "[2001:db8::1]:80". nullopt: no port, an empty or impossible host.
std::optional<HostPort> parse_host_port(std::string_view text);

bool is_ip_address(std::string_view text) noexcept;
// "10.0.0.0/8", "2001:db8::/32" or one address.
bool is_cidr_block(std::string_view text) noexcept;

}  // namespace segue::config
