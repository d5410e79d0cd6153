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

// The same page with a JSON body, on a route whose rules look everywhere.
double nanoseconds_redacted(Serialiser& serialiser, test::SampleExchange& sample) {
  static constexpr int kExchanges = 20'000;
  std::string body = "{\"user\":{\"password\":\"x\",\"mail\":\"a@b.example\"},\"items\":[0";
  while (body.size() < 600) body += ",{\"id\":12345,\"name\":\"blue shoe\"}";
  body += "]}";
  sample.response_blocks = {sample.keep(body)};
  sample.view.response.body = {{}, body.size(), Capture::complete, {}};
  sample.connect();
  const Redactions redactions{.query = {{"token"}},
                              .json = {{"$..password"}},
                              .patterns = {{PatternKind::card, "card", ""},
                                           {PatternKind::email, "email", ""}}};
  const RouteRules rules(redactions);
  Redactor redactor(std::nullopt, 0);
  std::vector<char> out(64 << 10);
  const double start = cpu_nanoseconds();
  for (int i = 0; i < kExchanges; ++i) {
    const Redacted& redacted = redactor.redact(sample.view, rules);
    if (serialiser.measure(redacted, rules.headers, AccountForm::plain) > out.size()) return 0;
    serialiser.write(out.data());
  }
  return (cpu_nanoseconds() - start) / kExchanges;
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
  fmt::print("{:.0f} ns with query, JSON, card and e-mail rules\n",
             nanoseconds_redacted(serialiser, sample));
}
