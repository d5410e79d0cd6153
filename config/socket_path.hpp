#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/place.hpp"

namespace segue::config {

// Whether an address names a Unix domain socket: "unix:PATH".
bool is_socket_path(std::string_view address) noexcept;

// The path of such an address, made absolute from the folder of the configuration file. Reported,
// and none, when it is empty or too long for a socket (107 bytes).
std::optional<std::string> read_socket_path(const Place& place, Context& context,
                                            std::string_view address);

}  // namespace segue::config
