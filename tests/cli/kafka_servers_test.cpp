// seguectl against brokers with security and against Kafka Connect.
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/support/kafka_broker.hpp"
#include "tests/support/kafka_connect.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

CommandResult seguectl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), seguectl_path());
  return run_command(arguments);
}

bool is_one_line_with(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos && text.find('\n') == text.size() - 1;
}

// recorder.kafka with these lines, and a user's password.
std::string configuration(const TempDir& folder, const std::string& brokers,
                          const std::string& security) {
  const std::string text = "version: 1\nlisteners: { public: { address: \"127.0.0.1:8080\" } }\n"
                           "backends: { legacy: { endpoints: [\"127.0.0.1:8081\"] } }\n"
                           "routes: { all: { match: { prefix: / }, to: legacy } }\n"
                           "defaults: { record: { redact: { headers: [cookie] } } }\n"
                           "recorder:\n"
                           "  journal: { dir: " + (folder / "journal").string() + " }\n"
                           "  kafka:\n    brokers: [\"" + brokers + "\"]\n    topic: t\n" +
                           security;
  return folder.write("segue.yaml", text).string();
}

TEST_CASE("TLS, client certificates, passwords and ACLs: what works, and what is said when not") {
  KafkaBroker broker({.listeners = Listeners::with_security});
  const KafkaTopic topic(broker, "t", {.partitions = 1});
  const TempDir folder;
  const auto tail = [&](const char* listener, const std::string& security) {
    const std::string file = configuration(folder, broker.listener(listener), security);
    return seguectl({"tail", "-c", file, "--timeout", "20"});
  };
  const auto sasl = [&](const std::string& mechanism, const std::string& password) {
    return "    sasl: { mechanism: " + mechanism + ", username: alice, password: { file: " +
           folder.write("password", password).string() + " } }\n";
  };
  const std::string tls = "    tls: { ca: " + broker.ca().string() + " }\n";

  const CommandResult denied = tail("SASL_SSL", tls + sasl("PLAIN", "alice-secret"));
  CHECK(denied.exit_code == 3);
  CHECK(is_one_line_with(denied.err, "ACL"));
  broker.tool("acls", {"--add", "--allow-principal", "User:alice", "--allow-principal",
                       "User:CN=client", "--consumer", "--group", "*", "--topic", "t"});
  CHECK(tail("SASL_SSL", tls + sasl("PLAIN", "alice-secret")).exit_code == 0);
  CHECK(tail("SASL_PLAINTEXT", sasl("PLAIN", "alice-secret")).exit_code == 0);
  CHECK(tail("SSL", "    tls: { ca: " + broker.ca().string() + ", cert: " +
                        broker.client_certificate().string() +
                        ", key: { file: " + broker.client_key().string() + " } }\n")
            .exit_code == 0);

  const CommandResult wrong = tail("SASL_SSL", tls + sasl("PLAIN", "mistyped"));
  CHECK(wrong.exit_code == 3);
  CHECK(is_one_line_with(wrong.err, "authentication failed"));
  CHECK(wrong.err.find("mistyped") == std::string::npos);
  CHECK(tail("SASL_SSL", sasl("PLAIN", "alice-secret")).exit_code == 3);  // an unknown authority
  CHECK(tail("SSL", tls).exit_code == 3);                                // no certificate
}

TEST_CASE("connect status shows connectors and tasks, and fails when one of them has") {
  const KafkaBroker broker({.configuration = {"auto.create.topics.enable=true"}});
  const ConnectWorker worker(broker);
  const TempDir folder;
  CHECK(seguectl({"connect", "status", worker.url()}).exit_code == 0);
  worker.put("good", R"({"connector.class":"FileStreamSink","topics":"t","file":")" +
                         (folder / "out").string() + R"(","tasks.max":"1"})");
  worker.wait_until_running("good");
  const CommandResult good = seguectl({"connect", "status", worker.url(), "-o", "json"});
  CHECK(good.exit_code == 0);
  const auto json = boost::json::parse(good.out);
  CHECK(json.at("workers").as_array().size() == 1);
  CHECK(json.at("connectors").at(0).at("name").as_string() == "good");
  CHECK(json.at("connectors").at(0).at("tasks").at(0).at("state").as_string() == "RUNNING");

  worker.put("bad", R"({"connector.class":"FileStreamSink","topics":"t","file":"/nowhere/out"})");
  const Deadline deadline;
  CommandResult bad;
  do {
    bad = seguectl({"connect", "status", "--url", worker.url()});
  } while (bad.exit_code != 1 && deadline.left() > 0);
  CHECK(bad.exit_code == 1);
  CHECK(bad.out.find("FAILED") != std::string::npos);
  CHECK(bad.out.find("Exception") != std::string::npos);
  CHECK(bad.out.find("\tat ") == std::string::npos);
  CHECK(seguectl({"connect", "status", worker.url(), "--trace"}).out.find("\tat ") !=
        std::string::npos);
}

TEST_CASE("what a Connect calls its workers does nothing to the terminal") {
  const ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request())
      connection.send(response_with(
          200, request->target() == "/"
                   ? R"({"version":"1"})"
                   : R"({"a":{"status":{"connector":{"state":"RUNNING","worker_id":"w\u001b[2J"}}}})"));
  });
  const CommandResult look =
      seguectl({"connect", "status", "http://127.0.0.1:" + std::to_string(backend.port())});
  CHECK(look.exit_code == 0);
  CHECK(look.out.find("on 1 workers: w") != std::string::npos);
  CHECK(look.out.find('\x1b') == std::string::npos);
}

TEST_CASE("a Connect that is away or is something else is exit 3") {
  const CommandResult away = seguectl({"connect", "status", "http://127.0.0.1:1"});
  CHECK(away.exit_code == 3);
  CHECK(is_one_line_with(away.err, "127.0.0.1:1"));
  const ScriptedBackend backend(answer_always(response_with(200, "<html>")));
  CHECK(seguectl({"connect", "status", "http://127.0.0.1:" + std::to_string(backend.port())})
            .exit_code == 3);
  CHECK(seguectl({"connect", "status", "ftp://x"}).exit_code == 2);
}

}  // namespace
}  // namespace segue::test
