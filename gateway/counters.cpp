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

}  // namespace segue::gateway
