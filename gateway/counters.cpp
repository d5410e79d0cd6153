#include "gateway/counters.hpp"

namespace segue::gateway {
namespace {

constexpr const char* kMethods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};

}  // namespace

const char* method_label(std::string_view method) noexcept {
  for (const char* known : kMethods)
    if (method == known) return known;
  return "_OTHER";
}

const char* name_of(FallbackReason reason) noexcept {
  static constexpr std::array<const char*, kFallbackReasons> kNames = {"unreachable", "unhealthy"};
  return kNames[static_cast<std::size_t>(reason)];
}

const char* name_of(CheckResult result) noexcept {
  static constexpr std::array<const char*, kCheckResults> kNames = {
      "passed", "status", "timeout", "unreachable", "broken"};
  return kNames[static_cast<std::size_t>(result)];
}

const char* name_of(ShadowResult result) noexcept {
  static constexpr std::array<const char*, kShadowResults> kNames = {
      "sent",
      "timeout",
      "error",
      "skipped_method",
      "skipped_sampling",
      "skipped_same_backend",
      "skipped_in_flight",
      "skipped_body_size",
      "skipped_incomplete",
      "skipped_draining",
      "skipped_upgrade",
      "skipped_journal",
      "skipped_unrecorded",
  };
  return kNames[static_cast<std::size_t>(result)];
}

}  // namespace segue::gateway
