#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "exchange/error.hpp"
#include "gateway/listening/listening_sockets.hpp"

namespace segue::gateway {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr int kMostDescriptors = 1024;

// The value of the variable, which is removed: no child is to take it for its own.
std::string take_variable(const char* name) {
  const char* const value = ::getenv(name);
  std::string text = value == nullptr ? std::string() : std::string(value);
  ::unsetenv(name);
  return text;
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

OwnedDescriptor adopt(int descriptor) {
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
    throw StartupError(fmt::format("$LISTEN_FDS says that descriptor {} is open, and it is not; "
                                   "start segue by its socket unit, or unset it",
                                   descriptor));
  return OwnedDescriptor(descriptor);
}

}  // namespace

std::vector<InheritedSocket> sockets_of_service_manager() {
  const std::string process = take_variable("LISTEN_PID");
  const std::string count = take_variable("LISTEN_FDS");
  const std::string names = take_variable("LISTEN_FDNAMES");
  if (number_in(process) != ::getpid()) return {};  // meant for a parent, or nothing at all
  const auto descriptors = number_in(count);
  if (!descriptors || *descriptors < 0 || *descriptors > kMostDescriptors)
    throw StartupError(fmt::format("$LISTEN_FDS is '{}', which is no number from 0 to {}; start "
                                   "segue by its socket unit, or unset it",
                                   count, kMostDescriptors));
  std::vector<InheritedSocket> inherited;
  std::string_view rest = names;
  for (int i = 0; i < *descriptors; ++i) {
    InheritedSocket& given = inherited.emplace_back();
    given.maker = InheritedSocket::Maker::service_manager;
    given.name = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), given.name.size() + 1));
    given.socket = adopt(kFirstDescriptor + i);
  }
  return inherited;
}

}  // namespace segue::gateway
