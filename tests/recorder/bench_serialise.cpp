// What it costs to put one exchange of a browser's page into memory: redaction, both passes, copy.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "recorder/serialise.hpp"
#include "tests/recorder/sample_exchange.hpp"

namespace {

using namespace segue;
using namespace segue::recorder;

// CPU time of this thread: what others do on the machine does not count.
double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double nanoseconds_each(Serialiser& serialiser, const ExchangeView& view, const HeaderRules& rules,
                        AccountForm account) {
  static constexpr int kRounds = 9;
  static constexpr int kExchanges = 200'000;
  std::vector<char> lane(32 << 20);  // larger than the caches, as a segment is
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    std::size_t at = 0;
    const double start = cpu_nanoseconds();
    for (int i = 0; i < kExchanges; ++i) {
      const std::size_t bytes = serialiser.measure(view, rules, account);
      if (at + bytes > lane.size()) at = 0;
      serialiser.write(lane.data() + at);
      at += bytes;
    }
    rounds.push_back((cpu_nanoseconds() - start) / kExchanges);
  }
  std::ranges::sort(rounds);
  return rounds[rounds.size() / 2];
}

}  // namespace

int main() {
  test::SampleExchange sample;
  test::SampleExchange::fill_browser_page(sample);
  Serialiser serialiser({"shop", "gateway-1", "0.1.0", "a1b2c3d4e5f6", ""}, AccountKey{});
  const HeaderRules rules({});
  const auto plain = nanoseconds_each(serialiser, sample.view, rules, AccountForm::plain);
  const auto hashed = nanoseconds_each(serialiser, sample.view, rules, AccountForm::hashed);
  const std::size_t bytes = serialiser.measure(sample.view, rules, AccountForm::plain);
  fmt::print("{} bytes, {} redacted: {:.0f} ns plain account, {:.0f} ns hashed account\n", bytes,
             serialiser.redacted(), plain, hashed);
}
