#include "tests/e2e/crowd.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "tests/support/patience.hpp"

namespace segue::test {

void allow_descriptors(std::size_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail_with_errno("getrlimit");
  if (limit.rlim_max < count)
    throw TestFailure(fmt::format("{} descriptors are needed, the hard limit is {}: raise it "
                                  "(ulimit -Hn)",
                                  count, limit.rlim_max));
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_with_errno("setrlimit");
}

void wait_until_zero(const GatewayProcess& gateway, std::string_view name,
                     const std::vector<std::string>& labels) {
  const Deadline deadline;
  while (gateway.metric(name, labels) != 0) {
    if (deadline.left() == 0)
      throw TestFailure(fmt::format("{} does not return to 0:\n{}", name, gateway.metrics()));
    std::this_thread::yield();  // each look is a whole request: not a busy loop
  }
}

std::uint64_t most_memory_until(GatewayProcess& gateway, std::string_view series,
                                const std::vector<std::string>& labels, double value) {
  std::uint64_t most = gateway.process().memory("RssAnon");
  const Deadline deadline;
  while (gateway.metric(series, labels) < value) {
    if (deadline.left() == 0)
      throw TestFailure(fmt::format("{} stays below {}:\n{}", series, value, gateway.metrics()));
    most = std::max(most, gateway.process().memory("RssAnon"));
  }
  return std::max(most, gateway.process().memory("RssAnon"));
}

}  // namespace segue::test
