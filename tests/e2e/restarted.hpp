#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/descriptor.hpp"
#include "tests/support/gateway_process.hpp"

// What tests of restarts are made of.
namespace segue::test {

// `--take-over`.
CommandLine take_over();

// Waits for a line of its standard error that begins so.
void wait_for_line(GatewayProcess& gateway, std::string_view beginning);

// Each of these targets is in the journal, once, and nothing else is.
void check_recorded_once(const std::string& journal, std::vector<std::string> targets);

// What a service manager that starts services listens on ($NOTIFY_SOCKET).
class NotifySocket {
 public:
  explicit NotifySocket(const std::filesystem::path& path);
  // A command line with this socket in its environment.
  CommandLine told(CommandLine line = CommandLine()) const;
  // The next message.
  std::string next();

 private:
  std::filesystem::path path_;
  Descriptor socket_;
};

// Listening sockets as a service manager makes them, one for each listener: on free ports of
// 127.0.0.1, not shared between cores. They stay open here.
class SocketActivator {
 public:
  explicit SocketActivator(const std::vector<std::string>& listeners);
  std::uint16_t port(std::size_t listener) const { return ports_.at(listener); }
  int descriptor(std::size_t listener) const { return sockets_.at(listener).get(); }
  // A command line that starts with the sockets. `names`: what $LISTEN_FDNAMES says of them.
  CommandLine activated(const std::string& names) const;
  // With the names of the listeners.
  CommandLine activated() const;

 private:
  std::string names_;
  std::vector<Descriptor> sockets_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace segue::test
