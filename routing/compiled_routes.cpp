#include "routing/compiled_routes.hpp"

#include <algorithm>

namespace segue::routing {

bool HostPattern::matches(std::string_view host) const noexcept {
  if (kind == HostKind::any) return true;
  if (kind == HostKind::exact) return host == name;
  return host.size() > name.size() + 1 && host.ends_with(name) &&
         host[host.size() - name.size() - 1] == '.';
}

std::size_t HostPattern::labels() const noexcept {
  return name.empty() ? 0 : static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
}

void append_normalised_host(std::string& out, std::string_view authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');  // of an IPv6 address, whose colons are no port
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket))
    authority = authority.substr(0, colon);
  if (authority.size() > 1 && authority.ends_with('.')) authority.remove_suffix(1);
  for (const char c : authority)
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
}

std::string normalise_host(std::string_view authority) {
  std::string host;
  append_normalised_host(host, authority);
  return host;
}

ShadowChoice choose_shadow(const CompiledRoute& route, std::string_view method,
                           std::uint32_t backend) noexcept {
  using Shadow = Decision::Shadow;
  if (!route.shadows) return {};
  if (!route.shadows_unsafe && !is_safe_method(method)) return {Shadow::unsafe_method, 0};
  std::uint32_t to = route.shadow_backend;
  if (route.shadows_other_arm) to = backend == route.new_arm ? route.legacy_arm : route.new_arm;
  if (to == backend) return {Shadow::same_backend, 0};
  return {Shadow::chosen, to};
}

std::uint64_t CompiledRoutes::method_bit(std::string_view method) const noexcept {
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i] == method) return std::uint64_t{1} << i;
  }
  return kOtherMethod;
}

}  // namespace segue::routing
