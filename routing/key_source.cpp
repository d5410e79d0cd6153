#include "routing/key_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "routing/escapes.hpp"
#include "routing/jwt_claim.hpp"

namespace segue::routing {
namespace {

using From = KeySource::From;

constexpr std::array<std::pair<std::string_view, From>, 5> kForms = {{{"header", From::header},
                                                                      {"cookie", From::cookie},
                                                                      {"query", From::query},
                                                                      {"path", From::path},
                                                                      {"jwt", From::jwt}}};

std::optional<std::string_view> find_parameter(std::span<const Parameter> parameters,
                                               std::string_view name) noexcept {
  for (const auto& parameter : parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> read_present(const KeySource& source, const KeyInput& input,
                                             std::string& storage) {
  switch (source.from) {
    case From::none:
      return std::nullopt;
    case From::header:
      return find_field(input.head.fields, source.name);
    case From::cookie:
      return find_cookie(input.head.fields, source.name);
    case From::query:
      return find_query_value(input.query, source.name, storage);
    case From::path:
      return find_parameter(input.parameters, source.name);
    case From::jwt: {
      const auto token = find_field(input.head.fields, source.name);
      return token ? read_jwt_claim(*token, source.claim, storage) : std::nullopt;
    }
    case From::peer:
      return input.peer_address;
  }
  return std::nullopt;
}

}  // namespace

std::optional<KeySource> KeySource::parse(std::string_view text) {
  if (text == "peer") return KeySource{From::peer, {}, {}};
  const auto colon = text.find(':');
  const auto form = std::find_if(kForms.begin(), kForms.end(), [&](const auto& known) {
    return known.first == text.substr(0, colon);
  });
  if (colon == std::string_view::npos || form == kForms.end()) return std::nullopt;
  const auto name = text.substr(colon + 1);
  KeySource source{form->second, std::string(name), {}};
  if (source.from == From::jwt) {
    const auto slash = name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    source.name = name.substr(0, slash);
    source.claim = name.substr(slash + 1);
    if (source.claim.empty()) return std::nullopt;
  }
  if (source.name.empty()) return std::nullopt;
  return source;
}

std::string text_of(const KeySource& source) {
  if (source.from == From::none) return "";
  if (source.from == From::peer) return "peer";
  for (const auto& [form, from] : kForms) {
    if (from != source.from) continue;
    return source.from == From::jwt ? fmt::format("jwt:{}/{}", source.name, source.claim)
                                    : fmt::format("{}:{}", form, source.name);
  }
  return "";
}

std::optional<std::string_view> read_key(const KeySource& source, const KeyInput& input,
                                         std::string& storage) {
  const auto value = read_present(source, input, storage);
  return value && !value->empty() ? value : std::nullopt;
}

std::uint32_t bucket_of(std::string_view salt, std::string_view key) noexcept {
  // One-shot for all keys of usual length: XXH3's streaming state is half a kilobyte to set up.
  std::array<char, 240> joined;
  if (salt.size() + 1 + key.size() <= joined.size()) {
    auto* end = std::copy(salt.begin(), salt.end(), joined.data());
    *end++ = '\0';
    std::copy(key.begin(), key.end(), end);
    return static_cast<std::uint32_t>(
        XXH3_64bits(joined.data(), salt.size() + 1 + key.size()) % kBuckets);
  }
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, salt.data(), salt.size());
  XXH3_64bits_update(&state, "", 1);
  XXH3_64bits_update(&state, key.data(), key.size());
  return static_cast<std::uint32_t>(XXH3_64bits_digest(&state) % kBuckets);
}

}  // namespace segue::routing
