#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/kafka_broker.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

struct ConnectOptions {
  std::vector<std::filesystem::path> plugins{};  // folders of connectors
  std::filesystem::path worker_properties{};     // to begin with; empty: records go as bytes
};

// The folder of the Camel S3 sink, fetched where it is missing.
std::filesystem::path camel_s3_sink();

// A real Kafka Connect worker (distributed) on a broker that must outlive it. Ready when the
// constructor returns; destroyed at the end of its scope or of this process.
class ConnectWorker {
 public:
  explicit ConnectWorker(const KafkaBroker& broker, const ConnectOptions& options = {});
  ~ConnectWorker();
  ConnectWorker(const ConnectWorker&) = delete;
  ConnectWorker& operator=(const ConnectWorker&) = delete;

  // "http://127.0.0.1:PORT"
  const std::string& url() const { return url_; }
  // Creates or changes a connector from a JSON object of its configuration.
  void put(const std::string& name, const std::string& configuration) const;
  // Until the connector and its tasks run; throws TestFailure with the trace of a task that failed.
  void wait_until_running(const std::string& name) const;
  // JSON as Connect's REST API gives it.
  std::string status(const std::string& name) const;

 private:
  TempDir folder_;
  std::filesystem::path work_;
  std::string url_;
};

}  // namespace segue::test
