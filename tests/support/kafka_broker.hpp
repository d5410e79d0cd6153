#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace segue::test {

enum class Listeners : std::uint8_t { plaintext, with_security };

struct BrokerOptions {
  unsigned brokers = 1;
  // with_security: SASL and TLS listeners and ACLs too, as tests/support/stack/kafka.sh has them:
  // users admin, alice and bob with passwords NAME-secret; the client's certificate is CN=client.
  Listeners listeners = Listeners::plaintext;
  // More lines for every broker's server.properties. Topics are not created by themselves unless
  // "auto.create.topics.enable=true" is among them.
  std::vector<std::string> configuration{};
};

// A real Apache Kafka of one or more brokers in a folder of its own, ready when the constructor
// returns; destroyed with its data at the end of its scope, or when this process dies. A broker
// that cannot be got throws TestFailure. One thread.
class KafkaBroker {
 public:
  explicit KafkaBroker(const BrokerOptions& options = {});
  ~KafkaBroker();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  // One plain broker for tests that only produce and consume: ctest's for tests with the fixture
  // `kafka_broker`, else one that lives as long as this process. Use topics with random names.
  static const KafkaBroker& shared();

  // "host:port,host:port": the listener without security, whose user may do everything.
  const std::string& bootstrap() const { return setting("BOOTSTRAP"); }
  // Other listeners: "SASL_PLAINTEXT", "SASL_SSL", "SSL" (which wants a client's certificate).
  const std::string& listener(std::string_view name) const { return setting(name); }
  std::filesystem::path ca() const { return setting("CA"); }
  std::filesystem::path client_certificate() const { return setting("CLIENT_CERT"); }
  std::filesystem::path client_key() const { return setting("CLIENT_KEY"); }

  // SIGKILL, SIGSTOP and SIGCONT to one broker, counted from 1.
  void kill(unsigned node = 1);
  void pause(unsigned node = 1);
  void resume(unsigned node = 1);
  // Starts a killed or stopped one again, with its data and ports; waits until it serves.
  void up(unsigned node = 1);
  // SIGTERM to all, and waits for their end.
  void stop();

  // Runs one of Kafka's own tools ("topics", "acls", "configs", ...; the address is given to it)
  // and returns what it printed. Takes a second: a JVM starts.
  std::string tool(std::string_view name, const std::vector<std::string>& arguments) const;

 private:
  explicit KafkaBroker(const std::filesystem::path& running);
  const std::string& setting(std::string_view name) const;
  void read_settings();

  TempDir folder_;
  std::filesystem::path work_;
  enum class Owner : std::uint8_t { self, ctest } owner_ = Owner::self;
  std::map<std::string, std::string, std::less<>> settings_;
};

}  // namespace segue::test
