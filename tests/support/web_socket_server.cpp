#include "tests/support/web_socket_server.hpp"

#include <boost/json/parse.hpp>

#include "tests/support/patience.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {

WebSocketServer::WebSocketServer(const Certificate* certificate) {
  std::vector<std::string> arguments{"start", folder()};
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  if (certificate != nullptr)
    for (const auto& argument :
         {std::string("-t"), certificate->certificate_file(), certificate->key_file()})
      arguments.push_back(argument);
  const std::string url = run_stack_script("websocket.sh", arguments);
  port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

WebSocketServer::~WebSocketServer() {
  try {
    run_stack_script("websocket.sh", {"destroy", folder()});
  } catch (const TestFailure&) {
    // It goes with this process.
  }
}

boost::json::object web_socket_checks(const std::string& url) {
  return boost::json::parse(run_stack_script("websocket.sh", {"run", url})).as_object();
}

}  // namespace segue::test
