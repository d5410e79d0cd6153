// The servers that other tests stand on do what they say.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/support/kafka_broker.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/schema_registry.hpp"

namespace segue::test {
namespace {

TEST_CASE("a record comes back from the shared broker as it was produced") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  CHECK(topic.records().empty());
  const std::string bytes("a\0\n,\xff", 5);
  topic.produce("key", bytes);
  const auto records = topic.wait_for(1);
  REQUIRE(records.size() == 1);
  CHECK(records.front().key == "key");
  CHECK(records.front().value == bytes);
  // Many readers, one after the other: each must let go of the broker.
  for (int i = 0; i < 50; ++i) CHECK(topic.records().size() == 1);
}

TEST_CASE("records are still there when two of three brokers were killed one after the other") {
  KafkaBroker broker({.brokers = 3});
  const KafkaTopic topic(broker, {.partitions = 2});
  broker.kill(1);
  topic.produce("a", "1");
  broker.up(1);
  broker.kill(2);
  topic.produce("b", "2");
  CHECK(topic.wait_for(2).size() == 2);
}

TEST_CASE("nobody but an administrator may write before there is an ACL") {
  const KafkaBroker broker({.listeners = Listeners::with_security});
  const KafkaTopic topic(broker);
  CHECK(broker.tool("acls", {"--list"}).find("alice") == std::string::npos);
  broker.tool("acls",
              {"--add", "--allow-principal", "User:alice", "--producer", "--topic", topic.name()});
  CHECK(broker.tool("acls", {"--list"}).find("alice") != std::string::npos);
  CHECK(std::filesystem::exists(broker.ca()));
}

// In a child: starts a broker, tells its folder's process id, and dies without cleaning up.
TEST_CASE("a broker goes with the process that started it") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    KafkaBroker broker;
    const auto address = broker.bootstrap();
    [[maybe_unused]] const auto written = ::write(ends[1], address.data(), address.size());
    ::raise(SIGKILL);
  }
  ::close(ends[1]);
  std::string address(64, '\0');
  const auto size = ::read(ends[0], address.data(), address.size());
  REQUIRE(size > 0);
  address.resize(static_cast<std::size_t>(size));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  const auto look = fmt::format("until ! (exec 3<>/dev/tcp/127.0.0.1/{}) 2>/dev/null; do :; done",
                                address.substr(address.find(':') + 1));
  CHECK(run_command({"timeout", "30", "bash", "-c", look}).exit_code == 0);
}

TEST_CASE("a schema registry forgets all when it stops and comes back where it was") {
  SchemaRegistry registry;
  const auto url = registry.https_url_with_authentication();
  registry.ask("POST", "/subjects/a-value/versions",
               R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message A {}"})");
  CHECK(registry.ask("GET", "/subjects").find("a-value") != std::string::npos);
  registry.stop();
  registry.start();
  CHECK(registry.https_url_with_authentication() == url);
  CHECK(registry.ask("GET", "/subjects") == "[]");
  const auto answer = [&](const std::string& user) {
    return run_command({"curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert",
                        registry.ca().string(), "-u", user, url + "/subjects"})
        .out;
  };
  CHECK(answer("segue:registry-secret") == "200");
  CHECK(answer("segue:wrong") == "401");
}

}  // namespace
}  // namespace segue::test
