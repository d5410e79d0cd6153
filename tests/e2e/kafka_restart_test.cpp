// Two processes that publish the same journal folder, one after the other and for a while together.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/e2e/restarted.hpp"

namespace segue::test {
namespace {

struct Restarting {
  ConfigText config() const {
    return publishing_config(
        backend.port(), {broker.bootstrap(), topic.name(), "",
                         fmt::format("dir: \"{}\", max_size: 64MiB, segment: 4MiB",
                                     (folder / "journal").string())});
  }

  TempDir folder;
  const KafkaBroker& broker = KafkaBroker::shared();
  KafkaTopic topic{broker};
  ScriptedBackend backend{answer_always(response_with(200, "ok"))};
};

TEST_CASE("the old process publishes what it recorded, and the new one what it did, each once") {
  const Restarting restarting;
  GatewayProcess first(restarting.config(), restarting.folder / "journal");
  auto answered = send_some(first, 200);
  GatewayProcess second(restarting.config(), restarting.folder / "journal", take_over());
  answered.merge(send_some(second, 200));
  CHECK(first.process().wait().exit_code == 0);
  const auto published = wait_until_published(restarting.topic, answered);
  CHECK(published.ids == answered);
  CHECK(published.silent_repetitions == 0);
}

TEST_CASE("what the old process could not publish any more its successor publishes") {
  const Restarting restarting;
  GatewayProcess first(restarting.config(), restarting.folder / "journal");
  auto answered = send_some(first, 200);
  GatewayProcess second(restarting.config(), restarting.folder / "journal", take_over());
  first.kill();
  answered.merge(send_some(second, 200));
  const auto published = wait_until_published(restarting.topic, answered);
  CHECK(published.ids == answered);
  CHECK(published.silent_repetitions == 0);
}

}  // namespace
}  // namespace segue::test
