#include "tests/e2e/several_endpoints.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <thread>

#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

void wait_for_availability(const GatewayProcess& gateway, const std::string& endpoint, double is) {
  const Deadline deadline;
  while (gateway.metric("segue_backend_endpoint_available", labels_of(endpoint)) != is) {
    if (deadline.left() == 0) throw TestFailure("the endpoint stays as it is: " + endpoint);
    std::this_thread::yield();  // each look is a whole request: not a busy loop
  }
}

}  // namespace

std::string endpoint_at(std::uint16_t port) {
  return fmt::format("127.0.0.1:{}", port);
}

ConfigText all_to_endpoints(const std::vector<std::string>& endpoints, std::string_view more) {
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .with("backends",
            fmt::format("{{ legacy: {{ endpoints: [\"{}\"]{}{} }} }}", fmt::join(endpoints, "\", \""),
                        more.empty() ? "" : ", ", more))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  return config;
}

std::vector<int> ask(const GatewayProcess& gateway, int times) {
  std::vector<int> statuses;
  for (int i = 0; i < times; ++i) {
    RawClient client(gateway.port());
    statuses.push_back(client.get("/", "Connection: close\r\n").status());
  }
  return statuses;
}

std::vector<std::string> labels_of(const std::string& endpoint) {
  return {fmt::format("endpoint=\"{}\"", endpoint)};
}

void wait_until_available(const GatewayProcess& gateway, const std::string& endpoint) {
  wait_for_availability(gateway, endpoint, 1);
}

void wait_until_unavailable(const GatewayProcess& gateway, const std::string& endpoint) {
  wait_for_availability(gateway, endpoint, 0);
}

}  // namespace segue::test
