#include "tests/e2e/http_cases.hpp"

namespace segue::test {

ConfigText only_open(std::uint16_t port, std::string_view backend_keys) {
  ConfigText config;
  config.backend("legacy", port, backend_keys);
  config.route("open", "{ match: { prefix: /open }, to: legacy }");
  return config;
}

Believer::Believer(std::string answer)
    : backend_([this, answer = std::move(answer)](BackendConnection& connection) {
        while (connection.request()) connection.send(answer);
        const std::lock_guard lock(mutex_);
        stray_ += connection.reader().rest();
      }) {}

std::vector<std::string> Believer::lines() const {
  std::vector<std::string> lines;
  for (const auto& request : backend_.requests()) lines.push_back(request.start_line);
  return lines;
}

std::string Believer::stray() const {
  const std::lock_guard lock(mutex_);
  return stray_;
}

std::vector<int> statuses(RawClient& client, std::size_t wanted) {
  std::vector<int> found;
  while (found.size() < wanted) {
    const auto answer = client.reader().response();
    if (!answer) break;
    found.push_back(answer->status());
  }
  return found;
}

bool ended_without_more(RawClient& client) {
  client.socket().finish_sending();
  client.reader().wait_for_end();
  return client.reader().rest().empty();
}

}  // namespace segue::test
