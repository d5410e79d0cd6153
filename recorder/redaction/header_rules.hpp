#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/mask.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// Credentials: always redacted, whatever a configuration lists.
inline constexpr std::array<std::string_view, 4> kCredentialHeaders{
    "authorization", "cookie", "proxy-authorization", "set-cookie"};

// Header names to redact, compiled. Immutable, so any thread may match(), which never allocates;
// a name that is not listed costs one load and two tests.
class HeaderRules {
 public:
  struct Rule {
    std::string name;   // lower case
    std::string label;  // "header:authorization", as the record says it
    RedactionMode mode;
  };

  // `redactions` and the credentials; of a name listed twice the stricter mode counts.
  explicit HeaderRules(std::span<const Redaction> redactions);

  static constexpr int kNoRule = -1;
  // Index into rules(), or kNoRule.
  int match(std::string_view name) const noexcept {
    if (name.size() >= kLengths || name.empty()) [[unlikely]]
      return match_any(name);
    const auto letter = std::uint32_t{1} << (static_cast<unsigned char>(name.front()) & 31);
    return (first_letters_[name.size()] & letter) == 0 ? kNoRule : match_any(name);
  }
  std::span<const Rule> rules() const noexcept { return rules_; }

 private:
  static constexpr std::size_t kLengths = 48;
  int match_any(std::string_view name) const noexcept;

  std::array<std::uint32_t, kLengths> first_letters_{};  // by length of the name
  std::vector<Rule> rules_;
};

}  // namespace segue::recorder
