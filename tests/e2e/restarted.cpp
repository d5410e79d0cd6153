#include "tests/e2e/restarted.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

// Runs the words that follow it with this in front, in the same process.
CommandLine in_shell(const std::string& before_exec, const std::string& after_exec,
                     CommandLine line) {
  const std::vector<std::string> shell{"/bin/bash", "-c",
                                       fmt::format("{} exec \"$@\" {}", before_exec, after_exec),
                                       "bash"};
  line.before.insert(line.before.begin(), shell.begin(), shell.end());
  return line;
}

}  // namespace

CommandLine take_over() {
  CommandLine line;
  line.after.emplace_back("--take-over");
  return line;
}

void wait_for_line(GatewayProcess& gateway, std::string_view beginning) {
  const Deadline deadline;
  while (const auto line = gateway.process().next_error_line(deadline))
    if (line->starts_with(beginning)) return;
  throw TestFailure("the gateway does not say: " + std::string(beginning));
}

void check_recorded_once(const std::string& journal, std::vector<std::string> targets) {
  std::vector<std::string> found;
  for (const auto& exchange : recorded(journal)) {
    CHECK(exchange.at("outcome") == "COMPLETED");
    found.push_back(text_of(exchange.at("request").as_object().at("target")));
  }
  std::ranges::sort(found);
  std::ranges::sort(targets);
  std::vector<std::string> different;
  std::ranges::set_symmetric_difference(found, targets, std::back_inserter(different));
  for (const auto& target : different) UNSCOPED_INFO("not once: " << target);
  CHECK(different.empty());
}

NotifySocket::NotifySocket(const std::filesystem::path& path)
    : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail_with_errno("bind");
}

CommandLine NotifySocket::told(CommandLine line) const {
  return in_shell(fmt::format("export NOTIFY_SOCKET='{}';", path_.string()), "", std::move(line));
}

std::string NotifySocket::next() {
  const Deadline deadline;
  pollfd wanted{socket_.get(), POLLIN, 0};
  if (::poll(&wanted, 1, deadline.left()) != 1) throw TestFailure("the manager is told nothing");
  std::array<char, 256> text{};
  const auto got = ::recv(socket_.get(), text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, got))};
}

SocketActivator::SocketActivator(const std::vector<std::string>& listeners) {
  for (const auto& name : listeners) {
    names_ += (names_.empty() ? "" : ":") + name;
    // Inherited by what is started: no close-on-exec.
    Descriptor& socket = sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), SOMAXCONN) != 0)
      fail_with_errno("bind");
    socklen_t size = sizeof address;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    ports_.push_back(ntohs(address.sin_port));
  }
}

CommandLine SocketActivator::activated() const {
  return activated(names_);
}

CommandLine SocketActivator::activated(const std::string& names) const {
  // The process id is the shell's, whose place the gateway takes.
  const auto variables = fmt::format(
      "export LISTEN_PID=$$ LISTEN_FDS={} LISTEN_FDNAMES='{}';", sockets_.size(), names);
  std::string descriptors;
  int next = 3;
  for (const auto& socket : sockets_) descriptors += fmt::format(" {}<&{}", next++, socket.get());
  return in_shell(variables, descriptors, CommandLine());
}

}  // namespace segue::test
