// TLS, client certificates, SASL and ACLs, as the real broker has them.

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/kafka_recording.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kFewLines = 6;
constexpr int kFirstGoodScram = 0x020601ff;  // 2.6.1

// A broker with security, a topic, a backend, and a password file.
struct Secured {
  Secured() { set_password("alice-secret"); }

  void set_password(std::string_view password) {
    const auto file = folder.write("password", fmt::format("{}\n", password));
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::string sasl(std::string_view mechanism) const {
    return fmt::format("sasl: {{ mechanism: {}, username: alice, password: {{ file: \"{}\" }} }}",
                       mechanism, (folder / "password").string());
  }
  std::string ca() const { return fmt::format("ca: \"{}\"", broker.ca().string()); }

  enum class Access { allow, withdraw };
  void change_acl(Access access, const std::string& principal) {
    std::vector<std::string> arguments{access == Access::allow ? "--add" : "--remove",
                                       "--allow-principal",
                                       principal,
                                       "--producer",
                                       "--topic",
                                       topic.name()};
    if (access == Access::withdraw) arguments.emplace_back("--force");
    broker.tool("acls", arguments);
  }
  ConfigText config(const std::string& listener, const std::string& more) const {
    return publishing_config(backend.port(), {broker.listener(listener), topic.name(), more});
  }
  // Records some exchanges that way, and finds them in the topic.
  void check_publishing(const std::string& listener, const std::string& more) {
    CAPTURE(listener, more);
    GatewayProcess gateway(config(listener, more));
    const auto answered = send_some(gateway, 20);
    CHECK(wait_until_published(topic, answered).silent_repetitions == 0);
    CHECK(wait_for_state(gateway, "publishing").reason.empty());
  }
  // The gateway serves, and says what is wrong in few lines. `state` is "connecting" where it never
  // came as far as to be known by a broker.
  KafkaReadiness check_refused(const std::string& listener, const std::string& more,
                               const std::string& state) {
    CAPTURE(listener, more);
    GatewayProcess gateway(config(listener, more));
    send_some(gateway, 20);
    gateway.wait_for_metric("segue_publish_errors_total", {}, 1);
    auto readiness = wait_for_state(gateway, state);
    CHECK(!readiness.reason.empty());
    gateway.wait_for_metric("segue_publish_lag_records", {}, 20);
    CHECK(gateway.stop().exit_code == 0);
    CHECK(kafka_lines(gateway.process()).size() <= kFewLines);
    return readiness;
  }

  TempDir folder;
  KafkaBroker broker{{.listeners = Listeners::with_security}};
  KafkaTopic topic{broker};
  ScriptedBackend backend{answer_always(response_with(200, "ok"))};
};

TEST_CASE("exchanges reach Kafka over TLS, with a client certificate, and with SASL PLAIN") {
  Secured secured;
  secured.change_acl(Secured::Access::allow, "User:alice");
  secured.change_acl(Secured::Access::allow, "User:CN=client");
  secured.check_publishing("SASL_PLAINTEXT", secured.sasl("PLAIN"));
  secured.check_publishing("SASL_SSL",
                           fmt::format("tls: {{ {} }}, {}", secured.ca(), secured.sasl("PLAIN")));
  secured.check_publishing(
      "SSL", fmt::format("tls: {{ {}, cert: \"{}\", key: {{ file: \"{}\" }} }}", secured.ca(),
                         secured.broker.client_certificate().string(),
                         secured.broker.client_key().string()));
}

TEST_CASE(
    "a wrong password, a missing certificate and an unknown authority are told, and nothing is "
    "lost") {
  Secured secured;
  const Certificate other("localhost");
  secured.check_refused("SSL", fmt::format("tls: {{ {} }}", secured.ca()), "connecting");
  secured.check_refused("SSL", fmt::format("tls: {{ ca: \"{}\" }}", other.certificate_file()),
                        "connecting");
  secured.set_password("not-alices");
  const auto readiness = secured.check_refused("SASL_PLAINTEXT", secured.sasl("PLAIN"), "waiting");
  CHECK(readiness.reason.find("authentication") != std::string::npos);
}

TEST_CASE("SCRAM-SHA-256 and SCRAM-SHA-512 with a librdkafka that can do it") {
  Secured secured;
  secured.change_acl(Secured::Access::allow, "User:alice");
  const auto library = run_stack_script("librdkafka.sh", {});
  for (const char* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    ::setenv("LD_LIBRARY_PATH", library.c_str(), 1);
    GatewayProcess gateway(secured.config(
        "SASL_SSL", fmt::format("tls: {{ {} }}, {}", secured.ca(), secured.sasl(mechanism))));
    ::unsetenv("LD_LIBRARY_PATH");
    const auto answered = send_some(gateway, 20);
    wait_until_published(secured.topic, answered);
  }
}

TEST_CASE("SCRAM with a librdkafka that cannot do it halts with one line that names the way out") {
  Secured secured;
  secured.change_acl(Secured::Access::allow, "User:alice");
  if (rd_kafka_version() >= kFirstGoodScram) {
    secured.check_publishing("SASL_PLAINTEXT", secured.sasl("SCRAM-SHA-256"));
    return;
  }
  GatewayProcess gateway(secured.config("SASL_PLAINTEXT", secured.sasl("SCRAM-SHA-256")));
  const auto readiness = wait_for_state(gateway, "halted");
  CHECK(readiness.reason.find("2.6.1") != std::string::npos);
  const auto failures = gateway.metric("segue_publish_errors_total");
  send_some(gateway, 500);
  // Halted is halted: no more attempts.
  CHECK(gateway.metric("segue_publish_errors_total") == failures);
  gateway.wait_for_metric("segue_publish_lag_records", {}, 500);
  CHECK(gateway.stop().exit_code == 0);
  const auto lines = kafka_lines(gateway.process());
  CAPTURE(lines);
  CHECK(lines.size() <= 2);  // that a broker hung up may be told first
  CHECK(std::ranges::count_if(lines, [](const std::string& line) {
          return line.find("2.6.1") != std::string::npos;
        }) == 1);
}

TEST_CASE("an ACL that refuses: all is published once it is granted, also when it was withdrawn") {
  Secured secured;
  GatewayProcess gateway(secured.config("SASL_PLAINTEXT", secured.sasl("PLAIN")));
  auto answered = send_some(gateway, 100);
  const auto readiness = wait_for_state(gateway, "waiting");
  CHECK(readiness.reason.find("uthoriz") != std::string::npos);
  CHECK(gateway.metric("segue_publish_errors_total", {"kind=\"authorization\""}) > 0);
  secured.change_acl(Secured::Access::allow, "User:alice");
  wait_until_published(secured.topic, answered);
  wait_for_state(gateway, "publishing");

  secured.change_acl(Secured::Access::withdraw, "User:alice");
  answered.merge(send_some(gateway, 100));
  wait_for_state(gateway, "waiting");
  answered.merge(send_some(gateway, 100));
  secured.change_acl(Secured::Access::allow, "User:alice");
  const auto published = wait_until_published(secured.topic, answered);
  CHECK(published.ids == answered);
  CHECK(published.silent_repetitions == 0);
  wait_for_state(gateway, "publishing");
  CHECK(gateway.stop().exit_code == 0);
  CHECK(kafka_lines(gateway.process()).size() <= kFewLines);
}

}  // namespace
}  // namespace segue::test
