#include "config/socket_path.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <filesystem>

namespace segue::config {
namespace {

constexpr std::string_view kPrefix = "unix:";
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;  // bytes; a zero ends it

}  // namespace

bool is_socket_path(std::string_view address) noexcept {
  return address.starts_with(kPrefix);
}

std::optional<std::string> read_socket_path(const Place& place, Context& context,
                                            std::string_view address) {
  const std::string_view written = address.substr(kPrefix.size());
  if (written.empty() || written.ends_with('/') || written.find('\0') != std::string_view::npos) {
    refuse_value(place, context, "unix: and the path of a socket, such as unix:/run/segue.sock");
    return std::nullopt;
  }
  std::error_code error;
  const auto absolute = std::filesystem::absolute(context.folder / written, error);
  std::string path = absolute.lexically_normal().string();
  if (!error && path.size() <= kMaxPath) return path;
  context.report.add(codes::kOutOfRange, place.node.at,
                     fmt::format("{} must be at most {} bytes long to name a socket, and {} has {}",
                                 place.name, kMaxPath, path, path.size()),
                     "choose a shorter path");
  return std::nullopt;
}

}  // namespace segue::config
