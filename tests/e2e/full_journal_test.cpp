// A journal whose consumer reads nothing: it may not overwrite anything, and fills.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
constexpr int kMany = 1500;  // several times what the journal holds

ConfigText unread_journal(std::uint16_t backend, std::string_view when_full) {
  ConfigText config = all_to(backend);
  config.with("cores", "{ count: 1 }")
      .with("defaults", "{ record: { bodies: { max: 8KiB }, redact: {} } }");
  return config.with("recorder",
                     fmt::format("{{ journal: {{ dir: journal, max_size: 2MiB, segment: 256KiB, "
                                 "consumers: [archiver], when_full: {}, block_timeout: 30ms }} }}",
                                 when_full));
}

struct FullJournal {
  explicit FullJournal(std::string_view when_full)
      : backend(answer_always(response_with(200, std::string(4096, 'x')))),
        gateway(unread_journal(backend.port(), when_full)),
        client(gateway.port()) {}

  // Sends `request` until it is refused; how many were served before.
  int served_before_refusal(std::string_view request) {
    for (int served = 0; served < kMany; ++served) {
      const auto answer = client.exchange(request);
      if (answer.status() == 200) continue;
      CHECK(answer.status() == 503);
      CHECK(answer.field("segue-error") == "journal_full");
      return served;
    }
    FAIL("never refused");
    return kMany;
  }

  ScriptedBackend backend;
  GatewayProcess gateway;
  RawClient client;
};

TEST_CASE("a full journal: an unsafe request is refused before the backend hears of it") {
  FullJournal full("{ safe: drop, unsafe: refuse }");
  const int served = full.served_before_refusal(kPost);
  CHECK(served > 0);
  CHECK(full.backend.requests().size() == static_cast<std::size_t>(served));
  const auto kept = recorded(full.gateway.journal(), {"--method", "POST", "--status", "200"});
  CHECK(kept.size() == static_cast<std::size_t>(served));
}

TEST_CASE("a full journal: a safe request is served and its loss is counted") {
  FullJournal full("{ safe: drop, unsafe: refuse }");
  for (int i = 0; i < kMany; ++i) REQUIRE(full.client.get("/").status() == 200);
  const auto kept = recorded(full.gateway.journal()).size();
  const auto dropped = full.gateway.metric("segue_journal_dropped_total", {"reason=\"exchange\""});
  CHECK(kept > 0);
  CHECK(dropped > 0);
  CHECK(kept + static_cast<std::size_t>(dropped) == kMany);
}

TEST_CASE("a full journal with `safe: refuse`: nothing is answered that is not on record") {
  FullJournal full("{ safe: refuse, unsafe: refuse }");
  const int served = full.served_before_refusal("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(recorded(full.gateway.journal(), {"--status", "200"}).size() ==
        static_cast<std::size_t>(served));
}

TEST_CASE("a full journal with `block`: a request waits, then is refused") {
  FullJournal full("{ safe: block, unsafe: block }");
  CHECK(full.served_before_refusal(kPost) > 0);
  CHECK(full.gateway.metric("segue_record_blocked_total") > 0);
}

}  // namespace
}  // namespace segue::test
