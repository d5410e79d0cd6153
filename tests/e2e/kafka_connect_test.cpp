// deploy/kafka-connect as it stands there: the worker, the S3 sink and put.sh, in the real Connect
// runtime, from a real broker to an S3 server.

#include "tests/support/kafka_connect.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/s3_server.hpp"

namespace segue::test {
namespace {

const std::filesystem::path kDeploy = SEGUE_SOURCE_DIR "/deploy/kafka-connect";

// Bytes of every value, line ends among them.
std::string bytes(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  std::generate(text.begin(), text.end(), [&] { return static_cast<char>(random()); });
  return text;
}

TEST_CASE(
    "Connect lands every record in S3 as one object of the same bytes, also when the bucket "
    "comes late") {
  constexpr const char* kBucket = "exchanges";
  const S3Server s3;
  ::setenv("SEGUE_S3_BUCKET", kBucket, 1);
  ::setenv("SEGUE_S3_REGION", "us-east-1", 1);
  ::setenv("SEGUE_S3_ENDPOINT", s3.url().c_str(), 1);
  ::setenv("SEGUE_S3_ACCESS_KEY", "a+key/with=signs", 1);
  ::setenv("SEGUE_S3_SECRET_KEY", "a%secret&with+signs", 1);

  const auto& broker = KafkaBroker::shared();
  const KafkaTopic topic(broker, {.partitions = 2});
  std::mt19937 random(1);
  std::vector<std::string> values{std::string("\n\0\r\n", 4), "with a final newline\n"};
  for (const std::size_t size : {1u, 300u, 5'000u, 900'000u}) {
    values.push_back(bytes(random, size));
  }
  for (const auto& value : values) topic.produce("account", value);

  const ConnectWorker worker(
      broker, {.plugins = {camel_s3_sink()}, .worker_properties = kDeploy / "worker.properties"});
  const auto put =
      run_command({kDeploy / "put.sh", worker.url(), "segue-s3", kDeploy / "s3-camel.properties",
                   "topics=" + topic.name(), "tasks.max=2"});
  REQUIRE(put.exit_code == 0);
  worker.wait_until_running("segue-s3");
  s3.make_bucket(kBucket);

  std::vector<std::string> landed;
  for (const auto& [key, content] : s3.wait_for(kBucket, values.size())) {
    CHECK(key.starts_with("segue/"));
    landed.push_back(content);
  }
  std::sort(values.begin(), values.end());
  std::sort(landed.begin(), landed.end());
  CHECK(landed == values);
  CHECK(worker.status("segue-s3").find("FAILED") == std::string::npos);
  CHECK(worker.status("segue-s3").find("secret&with") == std::string::npos);
}

}  // namespace
}  // namespace segue::test
