#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exchange/exchange.hpp"
#include "exchange/head.hpp"
#include "routing/route_rule.hpp"

namespace segue::routing {

// What a key can be read from.
struct KeyInput {
  const HeadView& head;
  std::string_view query;  // of the target, without the '?'
  std::span<const Parameter> parameters;
  std::string_view peer_address;  // without the port
};

// The value that `source` names; nullopt when it is absent or empty, for an empty account id or
// sticky key would put all who have none into one account or bucket. The view points into the
// input, or into `storage` when it had to be decoded; `storage` is overwritten.
std::optional<std::string_view> read_key(const KeySource& source, const KeyInput& input,
                                         std::string& storage);

// The text form that KeySource::parse reads; "" for none.
std::string text_of(const KeySource& source);

// Buckets of a split: a share is in hundredths of a percent.
inline constexpr std::uint32_t kBuckets = 10'000;

// XXH3-64 (seed 0) of salt, NUL, key, modulo kBuckets. Never changes: a user would change arms.
// Allocates nothing.
std::uint32_t bucket_of(std::string_view salt, std::string_view key) noexcept;

}  // namespace segue::routing
