// A gateway's journal and publisher without the gateway, to be killed: appends exchanges for as
// long as it lives, and says on standard error how many are on record.
//   publisher_victim DIR BROKERS FIRST

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/published_journal.hpp"

int main(int argc, char** argv) {
  using namespace segue::recorder;
  if (argc != 4) return 2;
  Journal journal(test::published_journal_settings(argv[1]), 2, test::kKiB);
  Publisher publisher(test::settings_for(argv[2]), journal,
                      {.log = [](const std::string&) {}, .timings = test::quick()});
  publisher.start();
  constexpr std::uint64_t kStep = 20;
  constexpr std::uint64_t kFarAhead = 5'000;
  for (std::uint64_t n = std::strtoull(argv[3], nullptr, 10);; n += kStep) {
    for (std::uint64_t i = n; i < n + kStep; ++i)
      test::append(journal.lane(static_cast<unsigned>(i % 2)), test::exchange_number(i));
    fmt::print(stderr, "{}\n", n + kStep);
    // The journal is not to fill up: what is tested is what becomes of it.
    while (publisher.status().lag.records > kFarAhead) std::this_thread::yield();
  }
}
